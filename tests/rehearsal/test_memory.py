"""The stand-in's state on disk: whole, masked where it leaves, and changed by hand as a person would."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal import memory
from rehearsal.cloud import Cloud
from rehearsal.cloud.state import VERSION
from rehearsal.errors import RehearsalError
from rehearsal.faces.wire import decode, encode
from rehearsal.workspace import MARK
from tests.rehearsal import landscape, landscape_azuredevops
from tests.rehearsal.landscape import API, CLUSTER, NOBODY, VAULT, VNET, inputs_of, refused, type_of
from tests.rehearsal.test_kubernetes_refusals import NAMESPACE, PUBLIC, create

_POOL = f"{CLUSTER}/agentPools/apps"


def with_objects() -> Cloud:
    cloud = landscape.before("cluster")
    landscape.make(cloud, "cluster", PUBLIC)
    create(cloud, NAMESPACE)
    create(cloud, "kubernetes:core/v1:ConfigMap")
    return cloud


def delivered() -> Cloud:
    return landscape_azuredevops.whole().cloud


CLOUDS = {"azure": landscape.whole, "kubernetes": with_objects, "azuredevops": delivered}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.json"
    memory.save(landscape.whole(), path)
    return path


def door(place: Path, *arguments: str) -> None:
    memory.main(["--file", str(place), *arguments])


# What is kept


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_the_same_after_it_was_on_disk(name: str, tmp_path: Path) -> None:
    cloud, path = CLOUDS[name](), tmp_path / "deep" / "cloud.json"
    memory.save(cloud, path)
    back = memory.recall(path)
    assert back.dump() == cloud.dump()
    assert back.resources.keys() == cloud.resources.keys()
    assert back.devops.resources.keys() == cloud.devops.resources.keys()
    assert back.kubernetes.held().keys() == cloud.kubernetes.held().keys()
    for id, found in cloud.resources.items():
        assert (back.resources[id].refers_to, back.resources[id].principals, back.resources[id].implied) == (
            found.refers_to,
            found.principals,
            found.implied,
        )


def test_what_refuses_before_refuses_after(place: Path) -> None:
    cloud = memory.recall(place)
    with refused("ScopeLocked"):
        cloud.delete(type_of("vault"), VAULT)
    with refused("Conflict"):
        landscape.make(cloud, "vnet")
    with refused("PrincipalNotFound"):
        landscape.make(cloud, "may_pull", {"principalId": NOBODY, "roleAssignmentName": NOBODY})


def test_a_soft_deleted_name_is_still_held_in_the_next_run(tmp_path: Path) -> None:
    cloud, path = landscape.whole(frozenset({"lock"})), tmp_path / "cloud.json"
    for found in reversed(list(cloud.resources.values())):
        if found.id.startswith(VAULT) or VAULT in found.refers_to or VAULT.lower() in found.refers_to:
            cloud.delete(found.type_, found.id)
    memory.save(cloud, path)
    with refused("ConflictError", "deleted state"):
        landscape.make(memory.recall(path), "vault")


def test_an_id_of_azure_devops_is_not_given_a_second_time_in_the_next_run(tmp_path: Path) -> None:
    made = landscape_azuredevops.Made()
    first = made.make("project")
    made.delete("project")
    memory.save(made.cloud, tmp_path / "cloud.json")
    made.cloud = memory.recall(tmp_path / "cloud.json")
    assert made.make("project") != first


def test_what_a_further_stack_expects_is_added_to_what_is_remembered(place: Path) -> None:
    further = "00000000-0000-0000-0000-0000000000f7"
    fresh = Cloud(landscape.estate(groups=frozenset({further})))
    cloud = memory.recall(place, fresh)
    assert further in cloud.estate.groups
    assert CLUSTER.lower() in cloud.resources
    assert memory.recall(place.with_name("none.json"), fresh) is fresh


def test_an_interrupted_write_leaves_the_old_state(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = place.read_text("utf-8")

    def no_room(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="no space"):
        memory.save(Cloud(landscape.estate()), place)
    assert place.read_text("utf-8") == before
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_the_file_is_its_owners_alone(place: Path) -> None:
    assert place.stat().st_mode & 0o077 == 0


# What cannot be read


def _edited(place: Path, changes: Mapping[str, Any]) -> None:
    state = json.loads(place.read_text("utf-8"))
    state |= changes
    place.write_text(json.dumps({key: value for key, value in state.items() if value is not None}), "utf-8")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": VERSION + 1}, f"of version {VERSION + 1}, and this program reads version {VERSION}"),
        ({"version": None}, "no version"),
        ({"resources": None}, "'resources' is missing"),
        ({"resources": {}}, "'resources' is not a list"),
        ({"resources": ["x"]}, "an id, a type and a name"),
        (
            {"resources": [{"id": "/x", "type": "azure-native:x:Y", "name": "x", "inputs": {}, "outputs": {}}]},
            "azure-native:x:Y, which this stand-in does not know",
        ),
        ({"inside": {"/nowhere": []}}, "the cluster /nowhere"),
        ({"estate": {}}, "'estate' has the entries"),
        ({"reserved": [["a"]]}, "lists of 3 texts"),
        ({"organization": {}}, "'brought' is missing"),
        ({"secrets": 1}, "'secrets' is not a list"),
    ],
)
def test_a_state_that_is_not_ours_is_one_message_with_the_way_out(
    place: Path, changes: Mapping[str, Any], says: str
) -> None:
    _edited(place, changes)
    (place.parent / MARK).touch()
    with pytest.raises(RehearsalError) as caught:
        memory.recall(place)
    assert says in str(caught.value)
    assert f"rm -r {place.parent}" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\x00"])
def test_a_broken_file_is_one_message(place: Path, text: str) -> None:
    place.write_text(text, "utf-8")
    (place.parent / MARK).touch()
    with pytest.raises(RehearsalError, match="Begin anew"):
        memory.recall(place)


def test_nobody_is_told_to_remove_a_directory_that_is_no_rehearsals(place: Path) -> None:
    """A state that was sent for a bug report may lie anywhere."""
    place.write_text("{", "utf-8")
    with pytest.raises(RehearsalError, match="Name another file with --file") as caught:
        memory.recall(place)
    assert "rm -r" not in str(caught.value)


def test_another_tenants_state_is_refused(place: Path) -> None:
    other = Cloud(landscape.estate(tenant_id="00000000-0000-0000-0000-0000000000ff"))
    with pytest.raises(RehearsalError, match="another estate"):
        memory.recall(place, other)


def test_no_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match="A rehearsal makes it"):
        door(tmp_path / "cloud.json", "show")


# By hand


def test_a_change_by_hand_is_what_the_next_read_finds(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door(place, "set", _POOL, "maxCount", "9")
    assert capsys.readouterr().out == f"{_POOL}\nmaxCount: {inputs_of('pool')['maxCount']} → 9\n"
    found = memory.recall(place).read(type_of("pool"), _POOL)
    assert found is not None
    assert found.outputs["maxCount"] == 9


def test_a_thing_is_found_by_its_name_and_a_nested_path_is_reached(place: Path) -> None:
    door(place, "set", "aks-test", "agentPoolProfiles[0].maxCount", "9")
    inputs = memory.recall(place).inputs_of(CLUSTER)
    assert inputs["agentPoolProfiles"][0]["maxCount"] == 9
    assert inputs["agentPoolProfiles"][0]["name"] == inputs_of("cluster")["agentPoolProfiles"][0]["name"]


def test_a_new_tag_can_be_set_and_taken_away(place: Path) -> None:
    door(place, "set", VNET.rsplit("/subnets", 1)[0], "tags", "{owner: me}")
    assert memory.recall(place).inputs_of(VNET.rsplit("/subnets", 1)[0])["tags"] == {"owner": "me"}
    door(place, "set", VNET.rsplit("/subnets", 1)[0], "tags.owner", "null")
    assert memory.recall(place).inputs_of(VNET.rsplit("/subnets", 1)[0])["tags"]["owner"] is None


def test_things_of_azure_devops_and_of_clusters_are_changed_and_deleted_too(tmp_path: Path) -> None:
    place = tmp_path / "cloud.json"
    memory.save(with_objects(), place)
    door(place, "set", f"{CLUSTER}/shop/settings", "data.KEY", "other")
    held = {found.id: found for found in memory.recall(place).kubernetes.held()[CLUSTER.lower()]}
    assert held["shop/settings"].outputs["data"] == {"KEY": "other"}
    assert held["shop/settings"].outputs["metadata"]["resourceVersion"] == "2"
    door(place, "delete", f"{CLUSTER}/shop")
    assert memory.recall(place).kubernetes.objects(CLUSTER) == {}

    made = landscape_azuredevops.whole()
    memory.save(made.cloud, place)
    door(place, "set", made.ids["environment"], "description", "changed")
    kind = landscape_azuredevops.type_of("environment")
    assert memory.recall(place).devops.inputs_of(kind, made.ids["environment"])["description"] == "changed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", "nothing-like-this", "count", "1"), "`cloud show` lists"),
        (("set", "aks-", "count", "1"), CLUSTER),
        (("set", _POOL, "maxCount", "many"), "is a number"),
        (("set", _POOL, "agentPoolName", "x"), "address"),
        (("set", CLUSTER, "location", "x"), "address"),
        (("set", CLUSTER, "agentPoolProfiles[7].maxCount", "1"), "nothing lies below 'agentPoolProfiles[7]'"),
        (("set", CLUSTER, "agentPoolProfiles[7]", "{}"), "has 1 entries"),
        (("set", CLUSTER, "no.such", "1"), "Its properties are: aadProfile"),
        (("set", CLUSTER, "a..b", "1"), "nothing lies below"),
        (("set", CLUSTER, "dnsPrefix", "[a"), "not YAML"),
        (("delete", VAULT), "ScopeLocked"),
        (("delete", "nothing-like-this"), "`cloud show` lists"),
    ],
)
def test_what_cannot_be_done_by_hand_changes_nothing(place: Path, arguments: tuple[str, ...], says: str) -> None:
    before = place.read_text("utf-8")
    with pytest.raises(RehearsalError) as caught:
        door(place, *arguments)
    assert says in str(caught.value)
    assert place.read_text("utf-8") == before


def test_a_delete_by_hand_takes_along_what_lies_below(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = next(found for found in memory.recall(place).resources.values() if "Lock" in found.type_)
    door(place, "delete", lock.id)
    assert lock.id.lower() not in memory.recall(place).resources
    assert capsys.readouterr().out == f"Deleted {lock.id}.\n"


def test_nobody_changes_the_cloud_under_a_rehearsal(place: Path) -> None:
    with (place.parent / MARK).open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        with pytest.raises(RehearsalError, match="rehearsal is running"):
            door(place, "set", _POOL, "maxCount", "9")
    door(place, "set", _POOL, "maxCount", "9")


def test_show_lists_what_matches_and_shows_one_thing_in_full(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door(place, "show", "agentpools")
    assert yaml.safe_load(capsys.readouterr().out)["inputs"]["agentPoolName"] == "apps"
    door(place, "show", "RoleAssignment")
    assert "RoleAssignment" in capsys.readouterr().out.splitlines()[0]
    door(place, "show")
    assert f"{len(memory.recall(place).resources)} things." in capsys.readouterr().out
    door(place, "show", "nothing-like-this")
    assert "Nothing that exists" in capsys.readouterr().out


# What leaves


def test_an_export_holds_no_secret_and_can_be_read_again(tmp_path: Path) -> None:
    cloud = landscape.whole()
    hook = "https://hooks.example.com/T0/abcdefghij"
    cloud.drift(API, "tags", {"hook": f"call {hook} now", "apiToken": "plain"})
    cloud.confide([hook])
    place, to = tmp_path / "cloud.json", tmp_path / "report.json"
    memory.save(cloud, place)
    assert hook in place.read_text("utf-8")
    door(place, "export", str(to))
    text = to.read_text("utf-8")
    assert hook not in text
    tags = memory.recall(to).inputs_of(API)["tags"]
    assert tags == {"hook": f"call {memory.MASK} now", "apiToken": memory.MASK}
    with pytest.raises(RehearsalError, match="exists already"):
        door(place, "export", str(to))
    with pytest.raises(RehearsalError, match="cannot be written"):
        door(place, "export", str(tmp_path / "none" / "report.json"))


@pytest.mark.parametrize(
    ("value", "key", "masked"),
    [
        ("x", "adminPassword", True),
        ("x", "connectionString", True),
        ("x", "personalAccessToken", True),
        ("DefaultEndpointsProtocol=https;AccountKey=x", "anything", True),
        ("https://me:pw@example.com", "url", True),
        ("-----BEGIN PRIVATE KEY-----", "data", True),
        ("tiny", "name", True),
        ("tiny-things", "name", False),
        ("https://example.com", "url", False),
        (True, "enableSecretRotation", False),
        (["a"], "secretPermissions", False),
    ],
)
def test_what_is_or_looks_secret_is_masked_and_nothing_else(value: Any, key: str, masked: bool) -> None:
    assert (memory.masked({key: value}, {"tiny"})[key] != value) is masked


def test_what_the_engine_marks_as_secret_is_remembered_as_one() -> None:
    sealed = encode({"a": {"b": ["x", "y"]}, "c": "z"}, frozenset({("a", "b", 1), ("c",)}))
    assert sorted(decode(sealed).secret_texts()) == ["y", "z"]
