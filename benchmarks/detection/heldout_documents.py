"""Held out: documents. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

DOCUMENTS: dict[str, str] = {
    "mt940": """:20:STMT«n:6»
:25:«iban:NL compact»
:28C:«n:5»/1
:60F:C240611EUR«n:5»,«n:2»
:61:2406120612D«n:4»,«n:2»NTRFNONREF//«n:10»
:86:/TRTP/SEPA OVERBOEKING/IBAN/«iban:DE compact»/BIC/«bic»/NAME/«name»/REMI/«product» «n:8»
:62F:C240612EUR«n:5»,«n:2»
""",
    "mt202": """{1:F01«pat:INGBNL2AXXXX»«n:10»}{4:
:20:«lot»
:21:«n:8»
:58A:/«iban:compact»
«bic»
:72:/BNF/PHONE «abroad»
-}
""",
    "x12 820": """ST*820*«n:9»~
BPR*C*«n:4».«n:2»*C*ACH*CTX*01*«aba»*DA*«n:9»**«n:10»**01*«aba»*DA*«n:10»*20240612~
TRN*1*«n:10»~
PER*CN*«name»*TE*«phone:marked»*EM*«email»~
""".replace("«phone:marked»", "«phone»"),
    "hl7": """MSH|^~\\&|ADT1|«firm»|LAB|X|20240612«n:4»||ADT^A01|MSG«n:5»|P|2.5
PID|1||«n:8»^^^MRN||«name»||19«n:2»0«n:1»1«n:1»|F|||«town»||«phone»|«phone»||S||«n:9»|«ssn»
NK1|1|«name»|SPO||«phone»
OBX|1|NM|2345-7^GLUCOSE||«n:3»|mg/dL|70-105|N|||F
""",
    "fhir": """{"resourceType": "Patient", "id": "«uuid»", "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "«ssn:marked»"}],
 "name": [{"text": "«name»"}], "telecom": [{"system": "phone", "value": "«phone:marked»", "use": "mobile"}, {"system": "email", "value": "«email»"}],
 "meta": {"versionId": "«n:1»", "lastUpdated": "«day»T«time».«n:3»Z"}}
""",
    "lease": """RESIDENTIAL LEASE

The undersigned «name» (Tenant), Social Security number «ssn», telephone «phone», and «firm» (Landlord) agree:

Rent of $«amount» is due on the first day of each month by transfer to account no. «n:10», routing number «aba».
The unit is no. «n:3»-«n:2», parcel «n:2»-«n:3»-«n:4». Deposit: cheque no. «n:6» dated «day».
Emergency contact of the Tenant: «name», «abroad», «email».
""",
    "whatsapp": """12/06/24, «time» - «name»: did you send the money?
12/06/24, «time» - «name»: not yet, what was your iban again
12/06/24, «time» - «name»: «iban:compact»
12/06/24, «time» - «name»: and ur number for paypal?
12/06/24, «time» - «name»: «abroad»
12/06/24, «time» - «name»: <Media omitted> IMG-20240612-WA00«n:2».jpg
12/06/24, «time» - «name»: card is «card:bare» exp «expiry»
""",
    "call transcript": """Agent: Thank you for calling «firm», my name is «name». May I have your phone number?
Caller: Sure, it's «phone».
Agent: And for verification, your Social Security number please.
Caller: «ssn».
Agent: Perfect. Which card would you like to use?
Caller: The Visa, «card:bare».
Agent: Your confirmation is «n:4»-«n:4»-«n:2». An e-mail goes to «email».
""",
    "kyc": """KNOW YOUR CUSTOMER: INDIVIDUAL                         ref «lot»
1.  Full name ............ «name»
2.  Tax ID / SSN ......... «ssn:marked»
3.  Passport ............. «passport»
4.  Mobile ............... «abroad»
5.  E-mail ............... «email»
6.  Source of funds ...... «product»
7.  IBAN ................. «iban:spaced»
8.  Internal scoring ..... 0.«n:9» (model «n:1».«n:2».«n:4»)
""",
    "police": """INCIDENT REPORT «n:4»-«n:6»
REPORTING PARTY: «name»  DOB: «dob:us»  SSN: «ssn:marked»  PH: «phone:marked»
VEHICLE: plate «lot», odometer «n:6»
NARRATIVE: On «day» at «time» RP advised that an unknown subject used RP's credit card («card:bare») at a store in
«town». RP was contacted from «phone» and told to "verify" the account. Property tag «n:9».
""",
    "factura": """FACTURA N.º «n:4»/«n:6»                    Fecha: «day»
«firm» · «town» · Tel. «abroad:es_ES»
Cliente: «name»        Pedido: «n:9»
Total a pagar: «amount» € a la cuenta «iban:ES spaced» (BIC «bic»)
Atención al cliente: «email»
""",
    "rechnung": """Rechnung «n:4»-«n:5»
«firm», «town»                             Kundennummer «n:8»
Zahlbar bis «day» auf IBAN «iban:DE spaced», BIC «bic».
Amtsgericht «town», HRB «n:5», Steuer-Nr. «n:3»/«n:4»/«n:4», USt-IdNr. «pat:ATU########»
Fon «abroad:de_DE» · Fax «abroad:de_DE» · «email»
""",
    "fattura": """Spett.le «name»
fattura n. «n:5» del «day», importo «amount» EUR
Coordinate bancarie: IBAN «iban:IT compact»
Per informazioni: tel. «abroad:it_IT», «email»
""",
    "eml": """Return-Path: <«email»>
Received: from mx.relay ([«ip»]) by mail with ESMTPS id «alnum:15» for <«email»>; Wed, 12 Jun 2024 «time» -0700
Message-Id: <20240612«n:6».«n:5»@mailer>
X-Spam-Score: -2.«n:3»
Content-Type: text/plain; boundary="----=_Part_«n:7»_«n:10».«n:13»"
From: "«name»" <«email»>
Subject: Direct deposit change

Please send my pay to routing number «aba», account «n:11». My SSN is «ssn» for verification.
Cell: «phone»
""",
    "w2": """a Employee's social security number   «ssn»
b Employer identification number (EIN)  «ein»
c Employer's name: «firm»
d Control number  «n:6»
1 Wages «amount»   2 Federal income tax withheld «amount»
15 State  CA   Employer's state ID number «n:3»-«n:4»-«n:1»
""",
    "insurance": """«firm» · member services «phone» · claims fax «phone»
Member ID: W«n:9»   Group: «n:7»   RxBIN: «n:6»   PCN: «alnum:6»
Subscriber: «name»   Subscriber SSN: «ssn:marked»
EOB #«n:12» for service on «day», billed $«amount».
""",
    "statement": """Date       Booking text                                        Debit/Credit
«day» SEPA-Lastschrift «iban:DE compact» Mandat «lot»   -«amount»
«day» Kartenzahlung «card:bare» «town»     -«amount»
«day» Gutschrift «name» «iban:spaced»   «amount»
«day» Entgelt «n:12»                                       -«amount»
""",
    "irc": """«time» <nick«n:1»> anyone got a working test login?
«time» <nick«n:1»> export AWS_ACCESS_KEY_ID=«akid» AWS_SECRET_ACCESS_KEY=«awssecret»
«time» <nick«n:1»> lol, in a public channel
«time» * nick«n:1» quits («email»)
""",
    "file note": """File note of «day», «time», «name»

- «decoy»
- «decoy»
- callback to «phone» agreed
- «decoy»
- documents sent to «email»
""",
    "business card": """«name»
Head of Sales, «firm»
T «abroad» | M «abroad» | «email»
""",
    "order": """Order confirmation #«n:3»-«n:7»-«n:7»
Placed on «day»; total $«amount»; paid with card ending in «n:4»
Tracking: 1Z«pat:&&&&&&»«n:10»; «n:22»
Call us toll free: «phone»
""",
    "ticket": """Summary: user «email» cannot pay
Priority: P«n:1»  Build: «n:2».«n:3».«n:4»  Commit: «hex:40»
Steps: 1. open the app 2. enter «card» as the card number 3. error PAY-«n:4»
Workaround: the user called «phone» and paid by IBAN «iban:compact».
""",
}


def text(r: Random) -> Labelled:
    """One document."""
    name = r.choice(list(DOCUMENTS))
    return Writer(r, FIELDS).fill(DOCUMENTS[name]).done(f"documents/{name}")
