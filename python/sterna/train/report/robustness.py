"""How precise the forms of a detector stay on images that are made worse, and under attack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from sterna.train.data import Dataset
from sterna.train.data.corruptions import AMOUNTS, SEVERITIES, UNITS, Corrupted, Corruption
from sterna.train.data.stream import batches
from sterna.train.model.network import Network
from sterna.train.report import evaluate
from sterna.train.report.attack import STEPS, Attack
from sterna.train.report.compared import Progress, of_part
from sterna.train.report.evaluate import Evaluator, Tally
from sterna.train.report.layers import INTEGER, TERNARY, Metrics, shown

#: The kind of a hardship that is none of Corruption.
ATTACK = "attack"
#: Levels of 255 that an attack may change a value of a pixel by, from the mildest on.
LEVELS = (1, 2, 4)
TITLE = "COCO mAP50 on images made worse"
METHOD = (
    "Images are made worse at the network's size, by kornia, with the amounts of noise, blur and JPEG of Hendrycks and "
    "Dietterich 2019"
)
ATTACK_METHOD = (
    f"An attack follows the gradient of the training loss in {STEPS} steps (Madry et al. 2018), untargeted and knowing "
    "all weights. A network meets images made for itself, the integer graph those made for the ternary network"
)
NO_ATTACK = "An attack needs the networks of a run folder, since an integer graph has no gradients"


class Hardship(Metrics):
    """A way in which the images were made worse, and COCO's mAP50 on them by form.

    kind: a Corruption, or ATTACK. severity: 1 is the mildest. amount: what that is, in words.
    """

    kind: str
    severity: int
    amount: str
    map50: dict[str, float]


def measure(
    evaluators: Mapping[str, Evaluator],
    networks: Mapping[str, Network],
    anchors: Sequence[Sequence[float]],
    dataset: Dataset,
    workers: int = 0,
    progress: Progress | None = None,
) -> tuple[Hardship, ...]:
    """Every hardship on `dataset` for each form of `evaluators`; attacks for the forms that `networks` lets attack.

    networks: those of the forms whose gradients can be followed. anchors: [A, 2], width and height in cells. workers:
    processes that read images ahead, 0: none. Raises SternaError if kornia is not installed.
    """
    found = [
        _corrupted(evaluators, Corrupted(dataset, kind, severity), workers, progress)
        for kind in Corruption
        for severity in SEVERITIES
    ]
    for severity, levels in enumerate(LEVELS if networks else (), 1):
        attacks = {form: Attack(network, anchors, levels) for form, network in networks.items()}
        map50 = _attacked(evaluators, attacks, dataset, workers, of_part(progress, f"{ATTACK} {severity}"))
        found.append(Hardship(kind=ATTACK, severity=severity, amount=f"{levels} of 255 levels", map50=map50))
    return tuple(found)


def _corrupted(
    evaluators: Mapping[str, Evaluator], worse: Corrupted, workers: int, progress: Progress | None
) -> Hardship:
    kind, severity = worse.kind, worse.severity
    map50 = {
        form: each.measure(worse, workers, of_part(progress, f"{kind} {severity} {form}")).map50
        for form, each in evaluators.items()
    }
    amount = f"{UNITS[kind]} {AMOUNTS[kind][severity - 1]:g}"
    return Hardship(kind=kind.value, severity=severity, amount=amount, map50=map50)


def _attacked(
    evaluators: Mapping[str, Evaluator],
    attacks: Mapping[str, Attack],
    dataset: Dataset,
    workers: int,
    progress: evaluate.Progress | None,
) -> dict[str, float]:
    """mAP50 by form; a form without an attack of its own meets that on TERNARY."""
    tallies = {form: Tally(dataset.classes) for form in evaluators if form in attacks or form == INTEGER}
    done = 0
    for batch in batches(dataset, evaluate.BATCH, workers):
        worse = {form: attack(batch) for form, attack in attacks.items()}
        for form, tally in tallies.items():
            met = worse[form if form in worse else TERNARY]
            for frame, found in zip(met, evaluators[form].find(met), strict=True):
                tally.add(frame, found)
        done += len(batch)
        if progress:
            progress(done, len(dataset))
    return {form: tally.precision().map50 for form, tally in tallies.items()}


def means(hardships: Sequence[Hardship]) -> dict[str, float]:
    """mAP50 by form, the mean over all corruptions; attacks do not count."""
    corrupted = [each.map50 for each in hardships if each.kind != ATTACK]
    return {form: mean(each[form] for each in corrupted) for form in corrupted[0]}


def rows(plain: Mapping[str, float], hardships: Sequence[Hardship]) -> Iterator[tuple[str, ...]]:
    """Rows of a table: kind and severity, amount, then mAP50 by form; `plain` are those of the images as they are."""
    yield "none", "", *map(shown, plain.values())
    for each in hardships:
        yield f"{each.kind} {each.severity}", each.amount, *(shown(each.map50.get(form)) for form in plain)
    yield "mean", "without attacks", *map(shown, means(hardships).values())


def methods(hardships: Sequence[Hardship]) -> tuple[str, ...]:
    """How `hardships` were measured, if there are any."""
    if not hardships:
        return ()
    attacked = any(each.kind == ATTACK for each in hardships)
    return METHOD, ATTACK_METHOD if attacked else NO_ATTACK
