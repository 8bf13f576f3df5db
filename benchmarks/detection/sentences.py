"""Sentences with one or a few values, as assistants, forms, letters and chats have them. Development family."""

# ruff: noqa: E501, RUF001
from __future__ import annotations

from random import Random

from benchmarks.detection import phrases
from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

ENGLISH = """
My social security number is «ssn».
My SSN is «ssn», could you check my records please?
ssn: «ssn:plain»
SSN «ssn:spaced»
Social Security: «ssn»; spouse: «ssn»
What happens if I lose my card? My social is «ssn» if you need it.
«name» («ssn») lives in «town».
The last applicant, «name», gave us «ssn» as identification.
Please verify «name»'s SSN (#«ssn») before Friday.
Can you tell me whether «ssn» is registered with you? It is my social security no.
Her tax file shows SS# «ssn:plain» and a refund of $«amount».
employee «n:5» | SSN=«ssn» | hired «day»
I think the person you are looking for has the social security number «ssn».
Is your Social Security Number still «ssn:spaced»?
ID on the form: «ssn»
Soc. Sec. No. «ssn»
TIN: «ssn»
Applicant's taxpayer identification number: «itin».
The ITIN issued to «name» is «itin».
Our EIN is «ein».
Employer identification number «ein», registered in Delaware.
FEIN: «ein», state id «n:7»
My credit card number is «card:faker».
My card «card:faker» was declined, why?
Please charge «card:spaced» for «product».
I lost my credit card «card:faker» yesterday in «town».
Card number: «card:dashed», exp «expiry», cvv «cvv».
«name», «card:plain», «expiry», «cvv»
Use «card:dashed» instead of the old one.
how do I change the address linked to my credit card to «address»? The card is «card:faker».
Hi, my Amex is «card:amex spaced» and it expires «expiry».
the number on the front is «card:spaced», thanks!!
PAN «card:plain» was tokenized on «day»
CC#«card:plain»
visa:«card:visa16 plain»
Refund to mastercard «card:mastercard spaced».
Payment by «w:Visa|MC|Discover» «card:faker plain», approved.
I want to increase the limit on my card # «card:faker» for certain duration of time. is it possible?
Could you please block «card:spaced»? I was robbed in «town».
Bitte belasten Sie meine Kreditkarte «card:spaced».
«card:spaced»
«card:dashed» is what I typed, and it said invalid.
You can reach me at «phone».
Call «name:first» at «anyphone» or write to «email».
My phone number is «anyphone», feel free to text.
phone:«phone:dashed»
Tel.: «anyphone»; fax: «anyphone»
For support dial «phone:1 dashed».
His cell is «phone:plain» and hers is «phone:dashed»
text me! «phone:parens»
mobile «abroad»
Our office in «town» can be reached on «abroad».
WhatsApp: «abroad»
«phone:parens tight», ask for «name:first»
(«phone:dashed»)
I tried «phone:dotted» three times and nobody answered.
Contact: «phone:ext»
Emergency contact: «name», «phone:parens»
If you're in the US, call «phone:+1 dashed»; elsewhere «abroad».
Numbers: «phone:dashed», «phone:dotted», «phone:+1 spaced»
SMS code was sent to «phone:E.164».
Fax number: «phone:fiction».
Cell «phone:slash»
Reach out on «phone:mixed» after 5pm.
Telephone «phone:001 dashed»
My number's «phone:dashed»—call any time.
«email» is my address.
Write to «email», please.
Email:«email»
e-mail=«email:odd»
Send it to <«email»>.
mailto:«email»
"«name»" <«email»>
CC: «email»; «email»,«email»
Is «email:upper» still valid?
My login is «email:odd» but I can't get in.
Forward everything from «email» to «email».
(«email»)
Contact «email».
Please remove «email», I no longer work there!
Wire it to «iban:spaced».
My IBAN is «iban».
IBAN: «iban:compact», BIC: «bic»
Please update my bank account to «iban».
Transfer €«amount» to «iban:spaced» by «day».
The beneficiary's account («iban:compact») is with «firm».
«iban:spaced»
Account «iban:compact» was closed.
payout account=«iban:compact»;currency=EUR
Could you send the money to «iban:GB spaced» instead of «iban:DE compact»?
iban «iban:lower»
SWIFT code «bic», account «iban»
Routing number «aba», account number «n:10».
ABA: «aba»
ABA routing # «aba» / checking «n:9»
My passport number is «passport».
U.S. passport no. «passport», expires «day»
Driver's license: «license»
driver license number «license», issued «day»
My IP address is «ip», please unblock it.
Login from «ip» at «time»
I was born on «dob».
Date of birth: «dob:us»
DOB «dob:iso»
Patient name: «named», DOB: «dob:us»
Ship to «address».
My address is «address».
aws_access_key_id is «akid» and the secret is aws_secret_access_key = «awssecret»
Hey, here are the AWS creds: «akid» / «awssecret»
The key «akid» was leaked.
I pasted my token «github» by mistake, please revoke it.
Our bot token is «slack».
Use Authorization: Bearer «jwt»
The JWT was «jwt», it is expired now.
The Stripe key is «token:stripe.key».
password: «password»
My password is «password», why can't I log in?
user: «name:first», pass: «password»
Post alerts to «webhook»
"""
OTHERS = """
Meine IBAN lautet «iban:DE spaced».
Bitte überweisen Sie auf das Konto «iban:DE compact» bei der Sparkasse.
Tel.: «home:DE»
Telefon: «abroad:DE», Fax: «home:DE»
Sie erreichen mich unter der Nummer «abroad:DE» oder per E-Mail an «email».
Handy «abroad:DE»
Meine Kreditkartennummer ist «card:spaced», gültig bis «expiry».
Rufen Sie mich an: «abroad:AT».
Mobil: «abroad:CH»
Kontonummer «iban:AT spaced», Empfänger «name»
Mon IBAN : «iban:FR spaced».
Tél. : «home:FR»
Téléphone «abroad:FR», courriel «email»
Mon numéro de carte bancaire est «card:spaced».
Veuillez virer la somme sur le compte «iban:FR compact».
Appelez-moi au «abroad:FR» s'il vous plaît.
Portable : «home:FR»
Joindre «name» au numéro de téléphone «home:FR» ou «email».
Mi número de tarjeta es «card:plain».
Teléfono: «home:ES»
Llámame al «abroad:ES», por favor.
Mi cuenta es «iban:ES spaced».
Correo electrónico: «email»
Número de tarjeta de crédito «card:dashed», caduca «expiry»
Móvil «abroad:ES»
Il mio IBAN è «iban:IT compact».
Telefono: «home:IT»
Cellulare «abroad:IT»
Carta di credito n. «card:spaced»
Scrivimi a «email».
Mijn rekeningnummer is «iban:NL spaced».
Tel. «home:NL»
Bel mij op «abroad:NL».
Creditcard: «card:plain»
Meu telefone é «home:BR».
Celular: «abroad:BR»
Cartão de crédito: «card:spaced»
Ligue para «abroad:PT» ou envie um e-mail para «email».
Mitt telefonnummer är «home:SE».
Ring «abroad:SE».
Kontonummer: «iban:SE compact»
Mój numer telefonu to «home:PL».
Numer konta: «iban:PL spaced»
Numer karty: «card:plain»
電話番号: «home:JP»
電話: «abroad:JP»
メール：«email»
クレジットカード番号は«card:dashed»です。
电话：«abroad:CN»，邮箱：«email»。
信用卡号：«card:plain»
Телефон: «abroad:RU»
Почта «email», карта «card:spaced»
Telefon numaram «abroad:TR».
IBAN numarası: «iban:TR spaced»
फ़ोन: «abroad:IN»
My mobile number is «abroad:IN», Aadhaar submitted on «day».
هاتف: «abroad:AE»
Telefon: «home:DK»
Ring til mig på telefon «home:DK».
Mobil: «home:NO»
Тел.: «home:RU»
Мой телефон «home:RU», звоните.
电话：«home:CN»
手机号码«home:CN»
전화번호: «home:KR»
Tel: «home:AT»
Telefonnummer «home:CH»
Phone: «home:AU»
mobile number «home:IN»
Telefon: «home:TR»
Phone no. «home:GB»
"""
#: A value and something that speaks against nothing near it, or against everything.
MIXED = """
«name» called from «anyphone» about order «n:8»; see ticket «n:6».
Order «decoy:order number» was paid with «card:spaced».
The file «decoy:md5» was uploaded by «email» from «ip».
Version «decoy:version» fixes the bug that «email» reported on «day».
Customer «n:6», born «dob:us», SSN «ssn», phone «phone:dashed», email «email», card «card:faker», lives at «address».
Ref. «decoy:uuid»: transfer from «iban:compact» to «iban:compact».
The tracking number is «decoy:usps parcel».
Your order «decoy:amazon order» has shipped.
The build «decoy:sha1» failed at «decoy:date and time».
It is «decoy:decimal» percent.
We have «n:9» users.
Meet at «decoy:coordinates».
My invoice is «decoy:order of nine».
Call «decoy:epoch seconds» milliseconds after start.
Serial number: «decoy:part number»
ISBN: see «decoy:isbn».
The transaction id is «decoy:uuid of digits».
My SSN is not «decoy:published ssn».
Test with «decoy:published card».
The number «decoy:card with wrong check digit» was rejected.
"""
#: Several sentences about nothing, so that the word is far from the value or absent.
FAR = """
Thank you for getting in touch with «firm». We have received your request of «day» and will answer within five working days.
As agreed on the telephone, the documents were sent to «town». Nothing else is needed for now.
Please keep this letter with your records. It replaces the one of «day».
The weather in «town» was fine, and the meeting took two hours.
"""
LISTS = {
    "en": ENGLISH.strip().splitlines(),
    "other": OTHERS.strip().splitlines(),
    "mixed": MIXED.strip().splitlines(),
    "long": phrases.LONG.strip().splitlines(),
    "grown": phrases.GROWN.strip().splitlines(),
    "chat": phrases.CHATS.strip().splitlines(),
    "nothing": phrases.NOTHING.strip().splitlines(),
}
#: Labels and shapes are multiplied: each product is a template of its own.
LABELS: dict[str, tuple[str, ...]] = {
    "ssn": ("SSN", "Social Security Number", "social security no", "SS number", "soc sec", "Taxpayer SSN", "ssn#"),
    "card": ("Card", "credit card", "Card Number", "debit card no.", "CC", "Visa card", "card on file", "Mastercard"),
    "anyphone": (
        "Phone",
        "tel",
        "Telephone number",
        "cell",
        "Mobile phone",
        "contact number",
        "fax",
        "Home",
        "Ph",
        "call",
    ),
    "email": ("Email", "e-mail address", "mail", "Contact", "login", "username"),
    "iban": ("IBAN", "account", "bank account", "Beneficiary account", "acct no", "IBAN number"),
    "akid": ("access key", "AWS Access Key ID", "AWS key", "key id"),
}
SHAPES = ("«l»: «v»", "«l» «v»", "«l» is «v».", "the «l» («v») on file", "«l»=«v»", "«l»:«v»,", "«l» - «v»", "«l»\n«v»", "[«l»] «v»", "«l»......«v»", "Is «v» the «l» you gave?", "**«l»:** «v»")  # fmt: skip


def templates() -> list[tuple[str, str]]:
    """Names and templates, all of them."""
    named = [(f"{lang}-{at:03}", text) for lang, lines in LISTS.items() for at, text in enumerate(lines)]
    for field, labels in LABELS.items():
        for a, label in enumerate(labels):
            for b, shape in enumerate(SHAPES):
                named.append((f"{field}-{a}-shape-{b}", shape.replace("«l»", label).replace("«v»", f"«{field}»")))
    return named


TEMPLATES = templates()
NEAR_ODDS = 0.8


def text(r: Random) -> Labelled:
    """One to three sentences; sometimes with others between, so that words stand far away."""
    writer, names = Writer(r, FIELDS), []
    filler = FAR.strip().splitlines()
    for at in range(r.choice((1, 1, 2, 3))):
        pool = r.random()
        name, template = r.choice([t for t in TEMPLATES if ("shape" in t[0]) == (pool < 0.35)])  # noqa: PLR2004
        names.append(name)
        if at:
            writer.put(r.choice((" ", "\n", "\n\n")))
        if r.random() > NEAR_ODDS:
            writer.fill(r.choice(filler)).put(" ")
        writer.fill(template)
    return writer.done("sentences/" + "+".join(names))
