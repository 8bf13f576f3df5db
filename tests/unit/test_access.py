"""What a job's caller may ask for, and where that is refused."""

from __future__ import annotations

import pytest

from scanner_tasks.core.access import OWN, Access, from_json
from scanner_tasks.core.access_rules import check_access, check_endpoint, read_access
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.settings import Settings

ROLE = "arn:aws:iam::111122223333:role/team/s3scan"


def test_nothing_but_aws_is_allowed_by_default():
    settings = Settings()
    assert check_access(OWN, endpoints=settings.allowed_endpoints, roles=settings.allowed_roles) == OWN
    for access in (Access(role_arn=ROLE), Access(endpoint_url="https://minio.example")):
        with pytest.raises(InvalidInput, match="ask the operator"):
            check_access(access, endpoints=settings.allowed_endpoints, roles=settings.allowed_roles)


@pytest.mark.parametrize(
    ("roles", "is_allowed"),
    [
        ([ROLE], True),
        (["arn:aws:iam::*:role/team/s3scan"], True),
        (["arn:aws:iam::111122223333:role/*"], True),
        (["arn:aws:iam::111122223333:role/s3scan"], False),
        (["arn:aws:iam::11112222333?:role/team/s3scan"], False),
        (["arn:aws:iam::[1]11122223333:role/team/s3scan"], False),
        ([ROLE.upper()], False),
        ([], False),
    ],
)
def test_roles_are_compared_exactly_but_for_stars(roles, is_allowed):
    if is_allowed:
        assert check_access(Access(role_arn=ROLE), endpoints=[], roles=roles).role_arn == ROLE
        return
    with pytest.raises(InvalidInput, match="S3SCAN_ALLOWED_ROLES"):
        check_access(Access(role_arn=ROLE), endpoints=[], roles=roles)


@pytest.mark.parametrize(
    "url",
    [
        "minio.example:9000", "//minio.example", "ftp://minio.example", "file:///etc/passwd", "http://", "http://:9000",
        "http://a@minio.example", "http://minio.example@169.254.169.254", "http://minio.example/x", "http://a?b",
        "http://a#b", "http://a\\b", "http://a b", "http://a\nb", "http://a:b", "http://a:99999", "",
        "http://[::1]:9000", "http://minio.example\t", "http://mïnio.example", "http://-a", "http://a.",
    ],
)  # fmt: skip
def test_an_endpoint_is_a_scheme_a_host_and_a_port(url):
    with pytest.raises(InvalidInput, match="endpoint_url"):
        check_endpoint(url)


def test_endpoints_are_compared_in_one_spelling():
    settings = Settings(allowed_endpoints={"HTTPS://Minio.Example:9000/": "minio"})
    assert settings.allowed_endpoints == {"https://minio.example:9000": "minio"}
    asked = Access(endpoint_url="https://MINIO.example:9000")
    allowed = check_access(asked, endpoints=settings.allowed_endpoints, roles=[])
    assert allowed.endpoint_url == "https://minio.example:9000"
    for other in ("http://minio.example:9000", "https://minio.example", "https://minio.example:9000.evil.example"):
        with pytest.raises(InvalidInput):
            check_access(Access(endpoint_url=other), endpoints=settings.allowed_endpoints, roles=[])
    with pytest.raises(ValueError, match="endpoint_url"):
        Settings(allowed_endpoints={"minio": ""})


@pytest.mark.parametrize(
    "region", ["x", "us-east-1.evil.example", "us-east-1/", "US-EAST-1", "us-east-1\n", "auto", ""]
)
def test_a_region_is_one_because_it_becomes_a_hosts_name(region):
    with pytest.raises(InvalidInput, match="region"):
        check_access(Access(region=region), endpoints=[], roles=[])


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "ap-southeast-4"])
def test_every_partitions_regions_are_regions(region):
    assert check_access(Access(region=region), endpoints=[], roles=[]).region == region


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(role_arn="arn:aws:iam::1:role/x"), "role_arn"),
        (Access(role_arn=ROLE + "\n"), "role_arn"),
        (Access(role_arn=ROLE, external_id="a b"), "external_id"),
        (Access(external_id="ours"), "role_arn too"),
        (Access(role_arn=ROLE, endpoint_url="https://a.example"), "role_arn or endpoint_url"),
        (Access(role_arn=ROLE, anonymous=True), "anonymous or role_arn"),
        (Access(anonymous=True, requester_pays=True), "who pays"),
    ],
)
def test_parts_that_contradict_are_refused_by_name(access, words):
    with pytest.raises(InvalidInput, match=words):
        check_access(access, endpoints=["https://a.example"], roles=["*"])


@pytest.mark.parametrize("told", [{"role": "x"}, {"anonymous": "true"}, {"region": 7}, {"requester_pays": 1}])
def test_what_a_caller_names_is_known_and_of_its_type(told):
    with pytest.raises(InvalidInput, match="access"):
        read_access(told)


def test_json_and_back_is_the_same():
    access = Access(role_arn=ROLE, external_id="ours", region="eu-west-1", requester_pays=True)
    assert from_json(access.to_json()) == read_access(access.to_json()) == access
    assert from_json(None) == read_access(None) == read_access({"region": None}) == OWN
