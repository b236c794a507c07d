"""The generator keeps its word: pictures follow from seeds, labels from what is drawn."""

import numpy as np
import pytest

from training.draw import draw_picture
from training.draw.scene import LABELS, LOOK_ALIKES, THINGS, UNSAFE


def test_a_seed_always_gives_the_same_picture():
    for seed in (3, 4, 5):
        one, other = draw_picture(seed), draw_picture(seed)
        assert one.image.tobytes() == other.image.tobytes()
        assert one.labels == other.labels


@pytest.mark.parametrize("name", sorted(THINGS))
def test_every_thing_can_be_drawn_and_carries_its_label(name):
    picture = draw_picture(77, wish=name, promotion=0.0)
    assert picture.things[0] == name
    assert (THINGS[name].label in picture.labels) or THINGS[name].label is None
    assert np.asarray(picture.image).std() > 2


def test_every_label_has_look_alikes_among_the_safe():
    assert {t.resembles for t in LOOK_ALIKES} >= set(UNSAFE) | {"placeholder", "promotional_text_overlay"}


def test_sizes_stay_between_100_and_1200_pixels():
    for seed in range(60):
        width, height = draw_picture(seed).image.size
        assert 100 <= min(width, height) and max(width, height) <= 1200


def test_chance_shows_every_label():
    seen = set().union(*(draw_picture(seed).labels for seed in range(150)))
    assert seen == set(LABELS)
