"""The commands: what each does, the function that does it, and its flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from svhn.cli.flag_table import Flag
from svhn.config import READER
from svhn.runtime.command_line import WORDS, CutFlag

OTHER_NAMES = {"predict": "read", "demo": "web"}  # of commands, from the version before


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        summary: what the command does, one line of `--help`.
        function: "module:function", imported when the command runs.
        flags: flags that the command's `--help` lists.
        rare: flags that only `--help=all` lists.
        idle: flags without effect here, accepted because users keep them when they change the command.
        own: flags that have another default or another help here.
        words: what words after the command stand for, as the usage line shows them; "" where none may follow.
        program: whether the function reads its command line itself; `flags` then lists what it reads.
    """

    summary: str
    function: str
    flags: tuple[str, ...]
    rare: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    own: Mapping[str, Flag] = field(default_factory=dict)
    words: str = ""
    program: bool = False

    @property
    def all_flags(self) -> tuple[str, ...]:
        return (*self.flags, *self.rare, *self.idle)


def _list_names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TRAIN_FLAGS = _list_names(
    "name log_name model init_from teacher seed log_every verbose dataset train_on random_crop grayscale num_threads "
    "num_epochs num_steps batch_size optimizer lrate decay reduce_on_plateau early_stopping weight_decay augment "
    "magnitude checkpoint_every records_dir checkpoints_dir"
)
RARE_TRAIN_FLAGS = _list_names(
    "mixed_precision max_to_keep warmup_steps clip_norm label_smoothing map_weight pretrained_rate distillation "
    "average views threshold exact_jpeg wait_minutes log_dir results_dir"
)
SWEEP_FLAGS = _list_names(
    "name model init_from seed dataset train_on random_crop grayscale num_threads batch_size optimizer weight_decay "
    "augment magnitude records_dir checkpoints_dir results_dir"
)
RARE_SWEEP_FLAGS = _list_names(
    "teacher mixed_precision clip_norm label_smoothing map_weight pretrained_rate distillation average exact_jpeg"
)
SCORE_FLAGS = _list_names(
    "name checkpoint batch_size views threshold num_threads records_dir checkpoints_dir results_dir"
)
RARE_SCORE_FLAGS = _list_names("model dataset random_crop grayscale mixed_precision augment magnitude")
READER_FLAGS = ("finder", "engine", "threads")  # of whole pictures
REFERENCE_FLAGS = ("log_name", "num_epochs", "lrate", "verbose", "log_dir")  # typed with every mode there
READER_NAME = Flag(READER, "name of the run that reads", "Run")
FOUND_THRESHOLD = Flag(
    None,
    "least confidence with which a number is answered in a small picture; the finder's own unless given",
    "Evaluation",
)
CHECKPOINTS = Flag("all", "checkpoints to score: all, best, latest or a step", "Run")


def _leave_out(names: tuple[str, ...], *others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not any(name in other for other in others))


COMMANDS = {
    "read": Command(
        "find and read the numbers in pictures, videos and live streams",
        "svhn.cli.reading_commands:read_pictures",
        _list_names(
            "name finder checkpoint engine threads images recursive fps views threshold output as restart annotate "
            "checkpoints_dir"
        ),
        _list_names(
            "picture_address part_size accept_errors runner runner_options mixed_precision augment magnitude "
            "results_dir"
        ),
        ("batch_size", "num_threads", "records_dir", "log_dir"),
        {
            "name": READER_NAME,
            "threshold": FOUND_THRESHOLD,
            "output": Flag(
                "",
                "table to write, .csv, .json, .jsonl or .parquet, or folder/ of a job in parts; with --as, the file or "
                "folder of pre-labels; of a CSV of pixels, submission.csv if empty",
                "Files",
            ),
        },
        "[PICTURE …]",
    ),
    "web": Command(
        "read numbers on a web page, also from a camera",
        "svhn.cli.reading_commands:serve_web_page",
        _list_names("name finder checkpoint engine threads host port views threshold checkpoints_dir"),
        ("mixed_precision", "augment", "magnitude", "results_dir"),
        ("batch_size", "records_dir", "log_dir"),
        {"name": READER_NAME, "threshold": FOUND_THRESHOLD},
    ),
    "serve": Command(
        "answer pictures sent by HTTP with their numbers, in JSON",
        "svhn.cli.reading_commands:serve_pictures",
        _list_names(
            "name finder checkpoint engine threads host port max_megabytes max_pictures max_seconds max_waiting views "
            "threshold checkpoints_dir"
        ),
        ("mixed_precision", "augment", "magnitude", "results_dir"),
        ("batch_size", "records_dir", "log_dir"),
        {
            "name": READER_NAME,
            "threshold": FOUND_THRESHOLD,
            "host": Flag("127.0.0.1", "address to serve at; 0.0.0.0 opens it to the network", "Run"),
            "port": Flag(8000, "port to serve at; 0: any free one", "Run"),
        },
    ),
    "page": Command(
        "write a page that reads in the browser, without a server",
        "svhn.cli.reading_commands:write_static_page",
        _list_names("name finder checkpoint views threshold output checkpoints_dir"),
        ("augment", "magnitude", "results_dir"),
        ("batch_size", "records_dir", "log_dir"),
        {
            "name": READER_NAME,
            "threshold": FOUND_THRESHOLD,
            "output": Flag("build/web", "folder of the page; an earlier page there is replaced", "Files"),
        },
    ),
    "download": Command(
        "fetch a data set from its publisher, or draw one",
        "svhn.download.__main__:main",
        _list_names("dataset splits url pictures data_dir"),
        program=True,
    ),
    "wrangle": Command(
        "turn a data set's files into records",
        "svhn.wrangle.__main__:main",
        _list_names(
            "dataset splits corrections size margin max_length valid_share seed check salvage max_skipped processes "
            "runner runner_options restart data_dir records_dir"
        ),
        program=True,
    ),
    "train": Command("train a run, or go on with it", "svhn.cli.commands:train_run", TRAIN_FLAGS, RARE_TRAIN_FLAGS),
    "valid": Command(
        "score a run's checkpoints on the split valid",
        "svhn.cli.commands:score_run",
        SCORE_FLAGS,
        RARE_SCORE_FLAGS,
        REFERENCE_FLAGS,
        {"checkpoint": CHECKPOINTS},
    ),
    "test": Command(
        "score a run's checkpoints on the split test",
        "svhn.cli.commands:score_run",
        SCORE_FLAGS,
        RARE_SCORE_FLAGS,
        REFERENCE_FLAGS,
        {"checkpoint": CHECKPOINTS},
    ),
    "report": Command(
        "write a page of errors and curves of a run or of labeled photos",
        "svhn.cli.commands:write_report",
        ("split", "suspects", *SCORE_FLAGS, *READER_FLAGS),
        RARE_SCORE_FLAGS,
        ("log_name", "log_dir"),
        {
            "name": Flag(None, "run to report on, demo unless named; that reads FOLDER, the bundled reader", "Run"),
            "threshold": FOUND_THRESHOLD,
            "split": Flag(
                None,
                "split to show, valid unless named; of FOLDER, test, or train and test; train with --suspects",
                "Data",
            ),
        },
        "[FOLDER]",
    ),
    "lr": Command(
        "find a learning rate for a run",
        "svhn.cli.commands:sweep_learning_rate",
        SWEEP_FLAGS,
        RARE_SWEEP_FLAGS,
        _leave_out(TRAIN_FLAGS + RARE_TRAIN_FLAGS, SWEEP_FLAGS, RARE_SWEEP_FLAGS),
    ),
    "compare": Command(
        "train several networks on one data set, and compare them",
        "svhn.cli.commands:compare_given_models",
        (*TRAIN_FLAGS, "results_dir"),
        _leave_out(RARE_TRAIN_FLAGS, ("results_dir",)),
        own={"model": Flag("", "networks to compare, comma-separated", "Run")},
    ),
    "release": Command(
        "make a run small enough to give away, its confidences calibrated",
        "svhn.cli.commands:release_checkpoint",
        (*SCORE_FLAGS, "blend", "blend_share"),
        RARE_SCORE_FLAGS,
        ("log_name", "log_dir"),
    ),
    "export": Command(
        "write a run for another runtime",
        "svhn.cli.commands:export_checkpoint",
        _list_names("name checkpoint format output records_dir checkpoints_dir results_dir"),
        ("views", "threshold", "batch_size", "num_threads"),
        ("log_name", "log_dir"),
    ),
}

_RUN_COMMANDS = tuple(name for name, command in COMMANDS.items() if not command.program)
CUT_FLAGS = {  # by flag: the commands that accept it in this version, and its successor
    "csv": (("read",), CutFlag("--csv is gone, read takes the file itself: svhn read {value}", WORDS)),
    "models": (("compare",), CutFlag("--models is gone, compare takes --model={value}", "model")),
    "example": (("report",), CutFlag("--example has no effect: the report shows the split's first picture")),
    "temperature": (_RUN_COMMANDS, CutFlag("--temperature has no effect: svhn release measures it")),
    "skip_corrupt": (
        _RUN_COMMANDS,
        CutFlag("--skip_corrupt has no effect: svhn wrangle --salvage leaves corrupt records out", takes_value=False),
    ),
}
