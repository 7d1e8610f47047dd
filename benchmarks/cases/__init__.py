"""What is timed: the inputs and the operations counted. How is each system's own business."""

from typing import Any

from benchmarks.cases.attention import AttentionCase
from benchmarks.cases.charlm import CharLMCase
from benchmarks.cases.loop import LoopCase
from benchmarks.cases.overhead import OverheadCase
from benchmarks.cases.recurrent import Case

FAMILIES: dict[str, Any] = {
    case.family: case for case in (Case, AttentionCase, CharLMCase, LoopCase, OverheadCase)
}
