"""Check digits: a published or made-up number stands up, and no other check digit does in its place."""

from __future__ import annotations

import pytest

from scanner_tasks.detect import ids_americas, ids_asia_africa, ids_europe, ids_nordic_east
from scanner_tasks.detect.validators import VALIDATORS

DIGITS = b"0123456789"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Validator, a number that stands up, and where its check character is.
CHECKED = [
    ("aba_routing", b"021000021", -1),
    ("ar_cuit", b"20055361682", -1),
    ("at_svnr", b"1237010180", 3),
    ("au_abn", b"83914571673", -1),
    ("au_medicare", b"2123456701", 8),
    ("au_tfn", b"123456782", -1),
    ("baltic_code", b"36805280109", -1),
    ("be_national_number", b"85073003328", -1),
    ("bg_egn", b"7523169263", -1),
    ("br_cnpj", b"16727230000197", -1),
    ("br_cpf", b"11144477735", -1),
    ("ca_sin", b"130692544", -1),
    ("ch_ahv", b"7569217076985", -1),
    ("cl_rut", b"125319092", -1),
    ("cn_ric", b"360426199101010071", -1),
    ("co_nit", b"2131234321", -1),
    ("cz_rodne_cislo", b"7103192745", -1),
    ("de_social_security", b"15070649C103", -1),
    ("de_tax_id", b"36574261809", -1),
    ("dk_cpr_checked", b"2110625629", -1),
    ("ec_cedula", b"1714307103", -1),
    ("es_dni", b"12345678Z", -1),
    ("fi_hetu", b"131052-308T", -1),
    ("fr_nir", b"295109912611193", -1),
    ("gr_amka", b"01013099997", -1),
    ("hk_hkid", b"A1234563", -1),
    ("hr_oib", b"33392005961", -1),
    ("hu_tax_id", b"8071592153", -1),
    ("ie_pps", b"6433435F", -1),
    ("imei", b"490154203237518", -1),
    ("in_aadhaar", b"234123412346", -1),
    ("in_gstin", b"27AAPFU0939F1ZV", -1),
    ("is_kennitala", b"1201743399", 8),
    ("it_codice_fiscale", b"RCCMNL83S18D969H", -1),
    ("jmbg", b"0101006500006", -1),
    ("jp_my_number", b"123456789018", -1),
    ("kr_rrn", b"9710139019902", -1),
    ("lei", b"213800KUD8LAJWSQ9D15", -1),
    ("luhn_number", b"039337423", -1),
    ("lv_personas_kods", b"16117519997", -1),
    ("mx_clabe", b"002010077777777771", -1),
    ("mx_curp", b"BOXW310820HNERXN09", -1),
    ("nl_bsn", b"111222333", -1),
    ("no_fodselsnummer", b"15108695088", -1),
    ("nz_ird", b"49091850", -1),
    ("nz_nhi", b"JBX3656", -1),
    ("pe_ruc", b"20512333797", -1),
    ("pl_nip", b"8567346215", -1),
    ("pl_pesel", b"44051401359", -1),
    ("pt_nif", b"501964843", -1),
    ("ro_cnp", b"1630615123457", -1),
    ("ru_inn", b"500100732259", -1),
    ("ru_snils", b"11223344595", -1),
    ("se_personnummer", b"8803200016", -1),
    ("sepa_creditor_id", b"DE98ZZZ09999999999", 3),
    ("sg_nric", b"S1234567D", -1),
    ("th_id", b"1234545678781", -1),
    ("tr_tckn", b"17291716060", -1),
    ("tw_id", b"A123456789", -1),
    ("ua_rnokpp", b"1759013776", -1),
    ("uk_nhs", b"9434765919", -1),
    ("uk_utr", b"1955839661", 0),
    ("us_dea", b"AB1234563", -1),
    ("us_npi", b"1234567893", -1),
    ("uy_ci", b"12345672", -1),
    ("vin", b"1HGCM82633A004352", 8),
    ("za_id", b"7503305044089", -1),
    ("iban", b"GB82WEST12345698765432", 3),
]


@pytest.mark.parametrize(("name", "number", "place"), CHECKED, ids=[name for name, _, _ in CHECKED])
def test_one_check_character_stands_up_and_no_other(name, number, place):
    alphabet = DIGITS if number[place : place + 1 or None].isdigit() else LETTERS
    accepted = []
    for c in alphabet:
        changed = bytearray(number)
        changed[place] = c
        if VALIDATORS[name](bytes(changed), b"", b""):
            accepted.append(bytes(changed))
    assert accepted == [number]


@pytest.mark.parametrize(
    ("name", "number", "why"),
    [
        ("at_svnr", b"1237410180", "day 41"),
        ("be_national_number", b"85133003328", "month 13"),
        ("bg_egn", b"7533169263", "month 33"),
        ("br_cpf", b"11111111111", "one digit"),
        ("cn_ric", b"990426199101010071", "province 99"),
        ("de_tax_id", b"12345678903", "no digit twice"),
        ("dk_cpr", b"5110625629", "day 51"),
        ("ec_cedula", b"2514307103", "province 25"),
        ("eg_id", b"29013011234567", "month 13"),
        ("es_dni", b"00000000T", "nothing but zeros"),
        ("id_nik", b"3171011713450001", "month 13"),
        ("in_aadhaar", b"234567765432", "a palindrome"),
        ("mx_rfc", b"GODE561331GR8", "month 13"),
        ("my_nric", b"771305021234", "month 13"),
        ("pk_cnic", b"9420105032341", "province 9"),
        ("ro_cnp", b"1630615993457", "county 99"),
        ("swift_bic", b"DEUTXXFF", "country XX"),
        ("uk_nino", b"BG123456C", "prefix BG"),
        ("us_ein", b"073456780", "prefix 07"),
        ("us_itin", b"912493456", "group 49"),
    ],
)
def test_numbers_that_nobody_is_given_are_refused(name, number, why):
    assert VALIDATORS[name](number, b"", b"") is None, why


@pytest.mark.parametrize("family", [ids_americas, ids_asia_africa, ids_europe, ids_nordic_east])
def test_a_number_that_is_part_of_something_longer_is_refused(family):
    numbers = {name: number for name, number, _ in CHECKED}
    for name in family.CHECKS.keys() & numbers.keys():
        number = numbers[name]
        assert VALIDATORS[name](number, b"x: ", b", y")
        assert VALIDATORS[name](number, b"12-", b"") is None
        assert VALIDATORS[name](number, b"", b".5") is None
        assert VALIDATORS[name](number, b"REF-", b"").weak


def test_separators_and_case_do_not_matter():
    assert VALIDATORS["br_cpf"](b"111.444.777-35", b"", b"")
    assert VALIDATORS["it_codice_fiscale"](b"rccmnl83s18d969h", b"", b"")
    assert VALIDATORS["iban"](b"gb82 west 1234 5698 7654 32", b"", b"")


def test_an_iban_ends_where_its_country_says():
    assert VALIDATORS["iban"](b"NL91 ABNA 0417 1643 00 ABNA", b"", b"").length == len("NL91 ABNA 0417 1643 00")
    assert VALIDATORS["iban"](b"NL91ABNA0417164300ABNA", b"", b"") is None
