"""Files of pictures decoded and resized by TensorFlow's operations, with the same pixels as by Pillow.

An exported SavedModel takes files of pictures and can't call Pillow. These functions return what `images.open_picture`
and, within a level, `images.resize_crop` return. `svhn read` resizes by `windows.crop_window`, which gives the same
pixels only for less than 4 times the result's width and height: it first shrinks a larger picture by a whole factor,
and the pixels then differ by several levels.
"""

from __future__ import annotations

import tensorflow as tf

from svhn.pipeline.batches import PILLOW_DCT
from svhn.spec import Size

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
EXPECTED = "encoded: expected the contents of JPEG or PNG files; convert other pictures, such as BMP or GIF, first"
COLOR_TYPE_PLACE = 25  # of a PNG's byte that names its kind of pixels: after the signature, width, height and depth
ALPHA_TYPES = (4, 6)  # its values for gray and for color with a channel of transparency
LUMA = (19595, 38470, 7471)  # weights of red, green and blue in Pillow's gray, in shares of 65,536 (ITU-R BT.601)


def load_picture(encoded: tf.Tensor, size: Size, channels: int) -> tf.Tensor:
    """One picture, resized: uint8 (*size, channels).

    The pixels are taken as stored: unlike `images.open_picture`, this function ignores a camera's Exif rotation.

    Args:
        encoded: the content of a JPEG or PNG file, a string scalar.
        size: height and width of the result, in pixels.
        channels: 3, or 1 for gray.

    Raises:
        tf.errors.InvalidArgumentError: the content is damaged or of another kind.
    """
    image = resize_picture(decode_picture(encoded), size)
    return image if channels == 3 else _convert_to_gray(image)


def decode_picture(encoded: tf.Tensor) -> tf.Tensor:
    """The pixels of a JPEG or PNG, uint8 (height, width, 3), with transparent areas on white."""
    is_jpeg, is_png = (tf.strings.substr(encoded, 0, len(start)) == start for start in (JPEG_START, PNG_START))
    with tf.control_dependencies([tf.debugging.Assert(is_jpeg | is_png, [EXPECTED])]):
        encoded = tf.identity(encoded)
    return tf.cond(is_jpeg, lambda: _decode_jpeg(encoded), lambda: _decode_png(encoded))


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=PILLOW_DCT)


def _decode_png(encoded: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(tf.io.decode_png(encoded, channels=4), tf.int32)
    color, alpha = pixels[..., :3], pixels[..., 3:]
    alpha = tf.where(_has_transparency(encoded), alpha, 255)
    sums = color * alpha + 255 * (255 - alpha) + 128
    return tf.cast((sums // 2 + 128 * sums) // 2**15, tf.uint8)  # the steps of Pillow's alpha_composite


def _has_transparency(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG has a channel or a table of transparency: a bool scalar."""
    color_type = tf.io.decode_raw(tf.strings.substr(encoded, COLOR_TYPE_PLACE, 1), tf.uint8)[0]
    header = tf.strings.split(encoded, "IDAT")[0]  # the chunks before the pixels
    has_table = tf.size(tf.strings.split(header, "tRNS")) > 1
    return tf.reduce_any(color_type == tf.constant(ALPHA_TYPES, tf.uint8)) | has_table


def resize_picture(image: tf.Tensor, size: Size) -> tf.Tensor:
    """A picture, uint8 (height, width, 3), resized to `size` with Lanczos' filter: uint8 (*size, 3).

    Like Pillow, the function first resizes across and rounds to whole levels, and then resizes down.
    """
    height, width = size
    across = _resize(image, tf.stack([tf.shape(image)[0], width]))
    return tf.ensure_shape(_resize(across, tf.constant([height, width])), (height, width, 3))


def _resize(image: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    resized = tf.image.resize(image, size, tf.image.ResizeMethod.LANCZOS3, antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8)


def _convert_to_gray(image: tf.Tensor) -> tf.Tensor:
    """A picture, uint8 (height, width, 3), in Pillow's gray: uint8 (height, width, 1)."""
    weighted = tf.cast(image, tf.int32) * tf.constant(LUMA)
    return tf.cast((tf.reduce_sum(weighted, axis=-1, keepdims=True) + 2**15) // 2**16, tf.uint8)
