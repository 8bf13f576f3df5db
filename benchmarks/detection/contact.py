"""Names, addresses and telephone numbers, as people and programs write them."""

# ruff: noqa: E501, SIM905, PLR2004, RUF001
from __future__ import annotations

import unicodedata
from random import Random

from benchmarks.detection.chance import digits, patterned
from benchmarks.detection.labels import Piece, Status

FIRST = (
    "James Mary Robert Patricia Linda Michael Aisha Mohammed Fatima Wei Ming Hiroshi Yuki Priya Arjun Lakshmi Björn "
    "Sören Małgorzata Łukasz Chloé François Zoë Nuño Ángel José Renée Siobhán Oluwaseun Nkechi Dmitri Svetlana Ivana "
    "Matteo Giulia Anneliese Jürgen Pieter Saskia Thiago Beatriz Elif Mehmet Noam Shira Kwame Thandiwe Mei-Ling"
).split()
LAST = (
    "Smith Johnson Williams Brown Jones Garcia Rodríguez Wilson Anderson Thomas Nguyen Patel Kim Chen O'Brien O'Neil "
    "MacLeod Müller Schäfer Dubois Lefèvre Rossi Esposito Kowalski Nowak Novák Ivanov Petrova Yılmaz Öztürk Silva "
    "Santos Okafor Mensah Tanaka Suzuki Larsson Hansen Nieminen Jónsdóttir Haddad Cohen Papadopoulos Singh"
).split()
DOMAINS = (
    "example.com example.org example.net gmail.com yahoo.com hotmail.com outlook.de web.de orange.fr libero.it "
    "mail.ru qq.com 163.com proton.me icloud.com corp-mail.example northwind.co.uk city-hospital.org uni-graz.ac.at "
    "acme.io firma.com.br bank.com.au dept.school.edu agency.gov studio.photography old.museum kanzlei.berlin "
    "mail-2.eu-west.internal-corp.net x.ai hr.globex.com.mx posta.com.tr smith-ryan.biz jones.info"
).split()
STREETS = (
    "Maple Avenue",
    "Oak Street",
    "W 34th St",
    "Elm Dr",
    "N. Main St.",
    "Sunset Blvd",
    "Park Rd",
    "County Road 12",
)
CITIES = ("Springfield, IL 62704", "Austin, TX 78701", "Portland, OR 97205-1234", "Boise, ID 83702", "Troy, NY 12180")
#: Country calling codes with the writing of the country and the writing abroad.
ABROAD = {
    "GB": ("+44117 4960###", "+44(0)1632 960###", "+44 20 7### ####", "+44 (0)161 ### ####", "+44 7### ######", "+447#########", "0044 20 8### ####"),
    "DE": ("+49(0)~#########", "+49(0)~### ######", "+49 30 ~#######", "+49 (0)89 ~######", "+49 170 ~######", "+49-221-~######", "0049 711 ~######", "+49 (30) ~##-##-##"),
    "FR": ("+33 (0)~ ## ## ## ##", "+33 1 ## ## ## ##", "+33 6 ## ## ## ##", "+33(0)1 ## ## ## ##", "+336########", "0033 1 ## ## ## ##"),
    "ES": ("+3491# ### ###", "+34 9########", "+34 91# ### ###", "+34 6## ## ## ##", "+34 6########", "+34-93-###-##-##"),
    "IT": ("+39 06 ~#######", "+39 3## #######", "+39 3## ### ####", "+39.02.~#######"),
    "NL": ("+3120 #######", "+31 20 ### ####", "+31 6 ########", "+31 (0)6 ########", "+316########"),
    "IN": ("+91 98## ######", "+91 9#### #####", "+91-8#########", "+919#########", "+91 22 ~### ####"),
    "BR": ("+55 11 9####-####", "+55 (21) 9####-####", "+55119########"),
    "AU": ("+61 2 9### ####", "+61 4## ### ###", "+614########"),
    "JP": ("+81 3-~###-####", "+81 90-####-####", "+81-3-5###-####"),
    "CN": ("+86 10 ~### ####", "+86 138 #### ####", "+86 139########"),
    "SE": ("+46 8 ### ### ##", "+46 70 ### ## ##", "+46 (0)31-### ## ##"),
    "PL": ("+48 ~## ### ###", "+48 22 ### ## ##", "+48~########"),
    "CH": ("+41 44 ### ## ##", "+41 79 ### ## ##", "0041 22 ### ## ##"),
    "MX": ("+52 55 #### ####", "+52 1 33 #### ####"),
    "RU": ("+7 495 ###-##-##", "+7 (9##) ###-##-##", "+79#########"),
    "TR": ("+90 212 ### ## ##", "+90 5## ### ####"),
    "ZA": ("+27 11 ### ####", "+27 82 ### ####"),
    "SG": ("+65 6### ####", "+65 9### ####"),
    "IE": ("+353 1 ### ####", "+353 87 ### ####"),
    "AE": ("+971 4 ### ####", "+971 50 ### ####"),
    "NG": ("+234 803 ### ####",), "KE": ("+254 7## ######",), "IL": ("+972-3-###-####", "+972 54 ### ####"),
    "PT": ("+351 21# ### ###", "+351 91# ### ###"), "CZ": ("+420 ~## ### ###",), "FI": ("(+358) 40#######", "+358 40 ### ####", "+358 9 ### ###"),
    "NO": ("+47 ~# ## ## ##", "+47 9## ## ###"), "DK": ("+45 ~# ## ## ##", "+45 ~#######"), "AT": ("+43 1 ~######", "+43 664 ~######"),
    "BE": ("+32 2 ### ## ##", "+32 47# ## ## ##"), "GR": ("+30 21# ### ####",), "KR": ("+82 2-~###-####", "+82 10-####-####"),
}  # fmt: skip
AT_HOME = {
    "GB": ("0117 4960###", "(0116) 496 0###", "020 7### ####", "07### ######", "0161 ### ####", "(0121) ### ####", "01632 960###"),
    "DE": ("030 ~#######", "0170/~######", "(089) ~######", "0221-~######", "0151 ~#######", "030/~######"),
    "FR": ("01 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "06########"),
    "ES": ("91# ### ###", "6## ## ## ##", "6########"),
    "IT": ("06 ~#######", "3## #######", "02/~#######", "333-#######"),
    "NL": ("020-#######", "06-########", "06 ########", "(010) ### ## ##"),
    "BR": ("(11) 9####-####", "(21) ~###-####", "11 9####-####"),
    "IN": ("9#### #####", "022-~###-####", "098########"),
    "AU": ("04##-###-###", "(02)-9###-####", "(02) 9### ####", "04## ### ###"),
    "JP": ("03-~###-####", "090-####-####"),
    "SE": ("0~##-### ##", "08-### ### ##", "070-### ## ##"),
    "PL": ("~## ### ###", "(22) ### ## ##"),
    "DK": ("## ## ## ##", "~### ####", "~#######"),
    "NO": ("~# ## ## ##", "9## ## ###"),
    "RU": ("8 (9##) ###-##-##", "8 9## ### ####", "89#########"),
    "CN": ("139########", "138 #### ####"),
    "KR": ("010-####-####", "02-~##-####"),
    "AT": ("0664 #######", "(0~###) ######", "01 ~######"),
    "CH": ("044 ### ## ##", "079 ### ## ##"),
    "TR": ("0~## ### ## ##", "0(2##)### ####"),
}  # fmt: skip
NANP = {
    "dashed": "{}-{}-{}", "parens": "({}) {}-{}", "parens tight": "({}){}-{}", "dotted": "{}.{}.{}",
    "+1 dashed": "+1-{}-{}-{}", "+1 spaced": "+1 {} {} {}", "+1 parens": "+1 ({}) {}-{}", "+1 dotted": "+1.{}.{}.{}",
    "E.164": "+1{}{}{}", "1 dashed": "1-{}-{}-{}", "001 dashed": "001-{}-{}-{}", "spaced": "{} {} {}",
    "slash": "{}/{}-{}", "mixed": "{} {}-{}", "1 parens": "1 ({}) {}-{}",
}  # fmt: skip


def person(r: Random, how: str = "") -> Piece:
    """A name; ``how``: first, last or empty for both."""
    first, last = r.choice(FIRST), r.choice(LAST)
    text = {"first": first, "last": last}.get(how) or r.choice(
        (f"{first} {last}", f"{first} {r.choice('ABCM')}. {last}")
    )
    return Piece(text)


def named(r: Random, _: str = "") -> Piece:
    """A full name after a label that says so."""
    return Piece(f"{r.choice(FIRST)} {r.choice(LAST)}", "personal.name", "labelled", Status.VALUE)


def ascii_of(text: str) -> str:
    """Letters without their marks, in lower case."""
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L").replace("ı", "i"))
    return "".join(c for c in plain if c.isascii() and c.isalpha()).lower()


def email(r: Random, how: str = "") -> Piece:
    """An address of mail; ``how``: upper, odd or empty."""
    first, last = ascii_of(r.choice(FIRST)), ascii_of(r.choice(LAST))
    forms = [
        f"{first}.{last}",
        f"{first}{digits(r, 2)}",
        f"{first[0]}{last}",
        f"{first}_{last}",
        f"{last}",
        f"{first}-{last}",
    ]
    if how == "odd":
        forms = [f"{first}+{last}", f"{first}.{last}+tag{digits(r, 3)}", f"{first[0]}.{last[0]}", f"{digits(r, 8)}",
                 f"_{first}", f"{first}'{last}", f"{first}%{last}", f"x{digits(r, 2)}.{last}-{first}.z"]  # fmt: skip
    text = f"{r.choice(forms)}@{r.choice(DOMAINS)}"
    return Piece(text.upper() if how == "upper" else text, "contact.email", how or "plain", Status.VALUE)


def nanp_parts(r: Random) -> tuple[str, str, str]:
    """Area code, exchange and line of the North American plan; neither of the first two is N11."""

    def code() -> str:
        while True:
            text = patterned(r, "^##")
            if text[1:] != "11" and text != "555" and text[1] != "9":
                return text

    return code(), code(), digits(r, 4)


def phone(r: Random, how: str = "") -> Piece:
    """A telephone number of North America. ``how``: a notation, or: ext, fiction, plain, bare, local."""
    parts = nanp_parts(r)
    kind = how or r.choice(list(NANP))
    status = Status.VALUE
    ways: tuple[tuple[int, int], ...] = ()
    if kind == "fiction":
        parts = ("555", *parts[1:]) if r.random() < 0.5 else (parts[0], "555", f"01{digits(r, 2)}")
        text = r.choice((NANP["dashed"], NANP["parens"], NANP["+1 dashed"])).format(*parts)
    elif kind == "ext":
        core = NANP[r.choice(("dashed", "parens", "dotted", "001 dashed", "+1 dashed"))].format(*parts)
        text = core + r.choice(("x{}", " x{}", " ext. {}", " ext {}", " Ext. {}", "x{}")).format(
            digits(r, r.choice((3, 4, 5)))
        )
        ways = ((0, len(core)),)
    elif kind in {"plain", "bare"}:
        text, status = "".join(parts), Status.GRADED if kind == "bare" else Status.VALUE
    elif kind == "local":
        text, status = f"{parts[1]}-{parts[2]}", Status.GRADED
    else:
        text = NANP[kind].format(*parts)
    return Piece(text, "contact.phone", f"nanp {kind}", status, ways)


def foreign_phone(r: Random, how: str = "") -> Piece:
    """A telephone number with its country's code; ``how``: a country."""
    country = how or r.choice(list(ABROAD))
    text = patterned(r, r.choice(ABROAD[country]))
    kind = "00" if text.startswith("00") else "(0)" if "(0)" in text else "+"
    return Piece(text, "contact.phone", f"{kind} {country}", Status.VALUE)


def home_phone(r: Random, how: str = "") -> Piece:
    """A telephone number as its country writes it at home: a value where a word says so; ``bare`` is graded."""
    words = how.split()
    country = next((w for w in words if w in AT_HOME), r.choice(list(AT_HOME)))
    status = Status.GRADED if "bare" in words else Status.VALUE
    return Piece(patterned(r, r.choice(AT_HOME[country])), "contact.phone", f"home {country}", status)


def any_phone(r: Random, how: str = "") -> Piece:
    """A number of North America or from abroad, in a notation that speaks for itself."""
    if r.random() < 0.4:
        return foreign_phone(r)
    return phone(r, how or r.choice((*(n for n in NANP if n not in {"spaced", "slash"}), "ext", "fiction")))


def address(r: Random, _: str = "") -> Piece:
    """A postal address in the USA."""
    text = f"{r.randrange(1, 9999)} {r.choice(STREETS)}, {r.choice(CITIES)}"
    return Piece(text, "contact.postal_address", "one line", Status.VALUE)


def birth(r: Random, how: str = "") -> Piece:
    """A date of birth."""
    y, m, d = r.randrange(1935, 2009), r.randrange(1, 13), r.randrange(1, 29)
    forms = {
        "iso": f"{y}-{m:02}-{d:02}",
        "us": f"{m:02}/{d:02}/{y}",
        "de": f"{d:02}.{m:02}.{y}",
        "words": f"{d} May {y}",
    }
    kind = how or r.choice(list(forms))
    return Piece(forms[kind], "personal.date_of_birth", kind, Status.VALUE)


def ipv4(r: Random, how: str = "") -> Piece:
    """An address that is routed, or ``private`` (graded: people disagree whether it is personal)."""
    if how == "private":
        return Piece(
            f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}", "network.ipv4", how, Status.GRADED
        )
    first = r.choice([n for n in range(11, 223) if n not in {127, 169, 172, 192, 198, 203}])
    return Piece(
        f"{first}.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}", "network.ipv4", "public", Status.VALUE
    )
