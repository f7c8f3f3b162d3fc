/** How probable an answer is, and how probable it has to be, as svhn/confidence.py has both. */

/**
 * The constants of svhn/confidence.py, in small letters.
 * @typedef {{odds_share: number, odds_exponent: number, needed_exponent: number}} ConfidenceConstants
 */

/**
 * The probability, 0 to 1, that an answer is right.
 * @param {number} probability both networks' product
 * @param {number} windows
 * @param {ConfidenceConstants} constants
 */
export function estimateConfidence(probability, windows, { odds_share: share, odds_exponent: exponent }) {
  const odds = share * probability;
  return odds / (odds + (1 - probability) * windows ** exponent);
}

/**
 * The least confidence, 0 to 1, with which a number is answered.
 * @param {number} threshold that of a picture of one window
 * @param {number} windows
 * @param {ConfidenceConstants} constants
 */
export function computeNeeded(threshold, windows, { needed_exponent: exponent }) {
  const odds = threshold * windows ** exponent;
  return odds / (odds + (1 - threshold));
}
