"""How far two versions judge the same pictures alike: decisions at the thresholds that count, and scores. Pure arithmetic on arrays."""

from dataclasses import dataclass

import numpy as np

from .evaluate import THRESHOLD


@dataclass(frozen=True)
class Agreement:
    """Of one label, or of all together: how many pictures are decided differently, and by how much scores differ. `by_policy`: None without a policy."""

    name: str
    pictures: int
    at_half: int
    by_policy: int | None
    mean: float
    largest: float

    def text(self) -> str:
        """One line of a report."""
        decisions = {f"at {THRESHOLD}": self.at_half} | ({} if self.by_policy is None else {"by policy": self.by_policy})
        same = "  ".join(f"same {where} {1 - differing / self.pictures:7.2%} ({differing} differ)" for where, differing in decisions.items())
        return f"{self.name:26} {same}  scores differ by {self.mean:.4f} on average, {self.largest:.3f} at most"


def policy_thresholds(policy: dict, label: str) -> list[float]:
    """Every score at which a policy's decision on a label turns, in any country; the default's where no rule of the world names the label."""
    rules = [policy.get("label", {}).get(label, policy.get("default", {}))]
    rules += [country["label"][label] for country in policy.get("country", {}).values() if label in country.get("label", {})]
    return sorted({float(rule[key]) for rule in rules for key in ("review", "block", "from") if key in rule})


def compare(before: np.ndarray, after: np.ndarray, labels: tuple[str, ...], policy: dict | None) -> list[Agreement]:
    """Of probabilities [pictures, labels] of two versions: one agreement a label, then one of whole pictures, which differ where any label does."""
    difference = np.abs(before - after)
    half = _decided_differently(before, after, [[THRESHOLD]] * len(labels))
    by_policy = None if policy is None else _decided_differently(before, after, [policy_thresholds(policy, label) for label in labels])

    def agreement(name: str, columns: list[int]) -> Agreement:
        counts = [None if moved is None else int(moved[:, columns].any(axis=1).sum()) for moved in (half, by_policy)]
        return Agreement(name, len(before), *counts, float(difference[:, columns].mean()), float(difference[:, columns].max()))

    return [*(agreement(label, [k]) for k, label in enumerate(labels)), agreement("any label", list(range(len(labels))))]


def _decided_differently(before: np.ndarray, after: np.ndarray, thresholds: list[list[float]]) -> np.ndarray:
    """For each picture and label, whether the two scores lie on different sides of any of the label's thresholds."""
    return np.stack([np.digitize(before[:, k], turns) != np.digitize(after[:, k], turns) for k, turns in enumerate(thresholds)], axis=1)
