"""Members read what others write, under prefixes that keep their keys apart."""

import pytest

from smartensemble import BatchSettings, Ensemble, Model, RunSettings
from smartensemble.errors import (
    EntityExistsError,
    InputTypeError,
)


def test_generated_members_have_prefixes_and_others_only_when_told() -> None:
    made = Ensemble("made", replicas=2, run_settings=RunSettings("true"))
    job = Ensemble("job", batch_settings=BatchSettings())
    added, alone = (Model(name, None, RunSettings("true")) for name in ("added", "alone"))
    job.add_model(added)

    assert (made.query_key_prefixing(), made[0].query_key_prefixing()) == (True, True)
    assert (job.query_key_prefixing(), added.query_key_prefixing(), alone.query_key_prefixing()) == (False, False, False)


def test_a_prefix_is_on_if_the_members_own_or_the_ensembles_setting_is() -> None:
    job = Ensemble("job", batch_settings=BatchSettings())
    own, plain = (Model(name, None, RunSettings("true")) for name in ("own", "plain"))
    own.enable_key_prefixing()
    job.add_model(own)
    job.add_model(plain)
    assert (own.query_key_prefixing(), plain.query_key_prefixing(), job.query_key_prefixing()) == (True, False, False)

    job.enable_key_prefixing()
    later = Model("later", None, RunSettings("true"))
    job.add_model(later)

    assert [member.query_key_prefixing() for member in job] == [True, True, True]
    own.disable_key_prefixing()
    assert (own.query_key_prefixing(), job.query_key_prefixing()) == (False, False)
    job.enable_key_prefixing()
    assert job.query_key_prefixing()


def test_members_read_from_models_and_from_all_members_of_ensembles() -> None:
    producers = Ensemble("p", replicas=2, run_settings=RunSettings("true"))
    reference = Model("reference", None, RunSettings("true"))
    consumers = Ensemble("c", replicas=2, run_settings=RunSettings("true"))
    consumers.register_incoming_entity(producers)
    consumers[1].register_incoming_entity(reference)
    producers.add_model(Model("late", None, RunSettings("true")))
    consumers.add_model(Model("later", None, RunSettings("true")))

    assert [member.incoming_entities for member in consumers] == [
        ["p_0", "p_1", "late"],
        ["p_0", "p_1", "late", "reference"],
        ["p_0", "p_1", "late"],
    ]


def test_a_producer_is_registered_once() -> None:
    producers = Ensemble("p", replicas=2, run_settings=RunSettings("true"))
    consumers = Ensemble("c", replicas=2, run_settings=RunSettings("true"))
    consumers[1].register_incoming_entity(producers[0])

    with pytest.raises(EntityExistsError, match="c_1: reads from 'p_0' already; register each once"):
        consumers.register_incoming_entity(producers)
    assert consumers[0].incoming_entities == []
    consumers[0].register_incoming_entity(producers)
    with pytest.raises(EntityExistsError, match="c_0: reads from 'p_1' already"):
        consumers[0].register_incoming_entity(producers[1])
    with pytest.raises(InputTypeError, match="c: 'p_0' is neither a Model nor an Ensemble"):
        consumers.register_incoming_entity("p_0")  # type: ignore[arg-type]
