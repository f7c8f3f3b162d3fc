"""What the server answers, as pydantic models: the document of reading/output.schema.json, and a reason in words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from svhn.reading.outputs import SCHEMA

Probability = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Point = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Digit(_Strict):
    """A digit, and the probability that it is right."""

    text: Annotated[str, Field(pattern="^[0-9]$")]
    confidence: Probability


class Seen(_Strict):
    """When a number of a video was in view. The server takes pictures alone."""

    order: Count
    frames: Count
    first: Seconds
    last: Seconds
    best: Seconds
    first_frame: Count
    last_frame: Count
    best_frame: Count


class Number(_Strict):
    """A number that was read."""

    text: Annotated[
        str,
        Field(pattern="^[0-9]*$", description="The digits. Zeros in front count. Empty if the number is truncated."),
    ]
    truncated: Annotated[bool, Field(description="Whether the number has more digits than the network reads.")]
    confidence: Annotated[
        Probability,
        Field(description="Probability that there is a number, and that all digits are right, or it is too long."),
    ]
    box: Annotated[
        Annotated[list[float], Field(min_length=4, max_length=4)] | None,
        Field(description="Left, top, right and bottom of the upright box, in pixels of the upright picture."),
    ]
    corners: Annotated[
        Annotated[list[Point], Field(min_length=4, max_length=4)] | None,
        Field(description="x and y of the corners of the number's own box, from its top left, clockwise."),
    ]
    digits: list[Digit]
    seen: Annotated[Seen | None, Field(description="Null: numbers of videos alone have a time.")]


class Refusal(_Strict):
    """What was nearly read in a picture without a number."""

    text: Annotated[str, Field(pattern="^[0-9]*$")]
    confidence: Annotated[
        Probability, Field(description="Probability that this would have been right; 0 if no digit was read.")
    ]
    needed: Annotated[
        Probability, Field(description="Least confidence with which a number of this picture is answered.")
    ]


class Picture(_Strict):
    """One picture, in the order in which the pictures were sent."""

    schema_: Annotated[Literal[SCHEMA], Field(alias="schema")]  # pyright: ignore[reportInvalidTypeForm]
    file: Annotated[str, Field(description="The file's name as it was sent; empty without a name.")]
    width: Pixels | None
    height: Pixels | None
    numbers: list[Number]
    refused: Refusal | None
    error: Annotated[
        Annotated[str, Field(min_length=1)] | None, Field(description="Why the picture could not be read.")
    ]


class Document(_Strict):
    """The answer to one request."""

    schema_: Annotated[Literal[SCHEMA], Field(alias="schema")]  # pyright: ignore[reportInvalidTypeForm]
    pictures: list[Picture]


class Problem(_Strict):
    """Why a request was not answered, and what would be."""

    error: str


class Model(_Strict):
    """A network that the server reads with."""

    role: Literal["reader", "finder"]
    name: str
    engine: str
    step: int | None
    threshold: Annotated[
        Probability | None,
        Field(description="Least confidence with which a number of a small picture is answered; a finder's alone."),
    ]


class Models(_Strict):
    """The networks of the server."""

    models: list[Model]


class Health(_Strict):
    """Whether the server can take pictures."""

    status: Literal["ok", "busy"]
    waiting: Annotated[int, Field(ge=0, description="Requests that were taken and not answered yet.")]
