"""Letters, invoices, forms, bank messages, statements, notes, mail and chats. Development family."""

from __future__ import annotations

from random import Random

from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

DOCUMENTS: dict[str, str] = {
    "invoice": """
«firm»
Invoice No. INV-«n:6»                                   Date: «day»
Bill to: «name», «town»                                  Customer no. «n:8»

Pos  Article          Qty   Unit price      Sum
 1   «product»         «n:2»     «amount»     «amount»
 2   «product»          «n:1»     «amount»     «amount»
                                   Total   EUR «amount»

Please pay to IBAN «iban:spaced», BIC «bic», quoting INV-«n:6».
Questions? «email» or «abroad»
VAT id «pat:DE#########» | Reg. court HRB «n:5»
""",
    "statement": """
STATEMENT OF ACCOUNT                       Page 1 of «n:1»
Account holder: «name»
Routing number: «aba»      Account number: «n:10»
Card ending «n:4»

Date        Description                              Amount       Balance
«day»  POS «product» REF «n:12»         -«amount»   «amount»
«day»  TRANSFER «iban:compact»       «amount»   «amount»
«day»  CARD «card:spaced» «town»     -«amount»   «amount»
«day»  FEE «decoy:compact time»                      -«amount»   «amount»

Customer service «phone:1 dashed» | TTY «phone:dashed»
""",
    "mt103": """
{1:F01DEUTDEFFAXXX«n:10»}{2:I103«pat:CHASUS33XXXXN»}{3:{108:MT103 «n:3»}}{4:
:20:«alnum:12»
:23B:CRED
:32A:«pat:24061#»EUR«n:6»,«n:2»
:50K:/«iban:DE compact»
«name»
«town»
:57A:«bic»
:59:/«iban:FR compact»
«name»
:70:/INV/«n:8» «product»
:71A:SHA
-}
""",
    "edi": """
ISA*00*          *00*          *ZZ*«pat:%%%%%%%%%»      *ZZ*«pat:%%%%%%%%%»      *240612*«n:4»*U*00401*«n:9»*0*P*>~
GS*HC*«n:9»*«n:9»*20240612*«n:4»*1*X*005010X222A1~
ST*837*«n:4»~
PER*IC*«name»*TE*«phone:plain»*EM*«email»~
NM1*IL*1*«name:last»*«name:first»****MI*«pat:%%%#########»~
REF*SY*«ssn:plain»~
DMG*D8*19«pat:7#0~1#»*F~
CLM*«n:8»*«n:3».«n:2»***11:B:1*Y*A*Y*Y~
SE*«n:2»*«n:4»~
""",
    "sepa": """
UNH+1+PAYORD:D:96A:UN'
BGM+450+«n:10»+9'
DTM+137:«pat:2024061#»:102'
FII+OR+«iban:DE compact»:«name»+«bic»:25:5'
FII+BF+«iban:NL compact»:«firm»+«bic»:25:5'
MOA+9:«n:5».«n:2»:EUR'
COM+«pat:+49301######»:TE'
UNT+8+1'
""".replace("«pat:+49301######»", "«abroad:DE»"),
    "medical": """
DISCHARGE SUMMARY
Patient: «named»        MRN: «n:8»        DOB: «dob:us»
SSN: «ssn»    Phone: «phone»    Admitted: «day»
Attending: Dr. «name», pager «phone:dashed»

HPI: «n:2» y/o presents after a fall in «town». BP 120/80, HR «n:2», temp 98.6.
Labs: Na 1«n:2», K 4.«n:1», glucose «n:3», specimen «decoy:order of nine».
Plan: follow up in two weeks; call «phone:parens» for an appointment.
cc: «email»
""",
    "w4": """
Form W-4 (made up for training)                           OMB No. 1545-0074
(a) First name and middle initial: «name:first»   Last name: «name:last»
(b) Social security number
    «ssn:spaced»
Address: «address»
Employer identification number (EIN): «ein»
Step 3: $«amount»   Signature date «day»
""",
    "contract": """
THIS AGREEMENT is made on «day» between «firm» ("the Supplier"), whose registered office is in «town», and «name»
("the Customer"), holder of Social Security number «ssn» and of passport «passport».
1. The Customer pays the sum of $«amount» by transfer to account «iban» within thirty (30) days.
2. Section 4.2.1 and clauses 12-34-5678 of the former agreement cease to apply.
3. Notices go to «email» with a copy to «email»; by telephone to «anyphone».
In witness whereof, ref. «decoy:uuid».
""".replace("12-34-5678", "12 to 34"),
    "mail": """
From: «name» <«email»>
To: "«name»" <«email»>
Cc: «email»
Date: Tue, 1«n:1» Jun 2024 «time» +0200
Message-ID: <«hex:16».«n:8»@mail-relay>
Subject: Re: payment for «product»

Hi «name:first»,

the card «card:spaced» did not go through. Shall I use the other one? You can call me at
«anyphone» until six.

> On «day» «name» wrote:
>> my number is «phone:dotted»
>> IBAN «iban:spaced»

--
«name» | «firm» | M «abroad» | «email»
""",
    "chat": """
[«time»] «name:first»: hey, did you get the card number?
[«time»] «name:first»: «card:faker»
[«time»] «name:first»: exp «expiry» cvc «cvv»
[«time»] support_bot: Thanks! For verification please send your social.
[«time»] «name:first»: «ssn»
[«time»] support_bot: ticket #«n:7» opened, ref «decoy:uuid»
[«time»] «name:first»: ok, text me «phone:dashed» or «email:odd»
""",
    "slack chat": """
«name:first»  «time»
prod is down, can someone with access log in? host «ip:private»
«name:first»  «time»
use these, rotate later:
AWS_ACCESS_KEY_ID=«akid»
AWS_SECRET_ACCESS_KEY=«awssecret»
«name:first»  «time»
and the db: «db»
""",
    "resume": """
«name»
«address» · «phone:dotted» · «email» · linkedin.com/in/«alnum:8»

EXPERIENCE
2016-2019   «firm», «town»: grew revenue from $1,234,567 to $«amount»
2019-2024   «firm»: 24/7 on call, SLA 99.995 %

References: «name», «phone:parens»; «name», «email»
""",
    "claim": """
CLAIM NUMBER: CLM-«n:9»          POLICY: «pat:%%-###-##-####X»
Insured: «named»              Date of birth: «dob:us»
SS#: «ssn:plain»              DL: «license»
Home: «phone:parens»   Work: «phone:ext»   Cell: «phone:dotted»
Loss date: «day»   Adjuster «n:5»   Reserve $«amount»
""",
    "loan": """
Loan application «n:10»

Borrower's name . . . . . . . . . «name»
Borrower's SSN  . . . . . . . . . «ssn»
Co-borrower's SSN . . . . . . . . «ssn»
Home telephone  . . . . . . . . . «phone:dashed»
Checking account. . . . . . . . . «n:12»
ABA routing . . . . . . . . . . . «aba»
Employer's EIN  . . . . . . . . . «ein»
""",
    "letter de": """
«firm», Postfach «n:5»

Sehr geehrte Frau «name:last»,

vielen Dank für Ihre Bestellung Nr. «n:9» vom «day». Den Betrag von «amount» € buchen wir von Ihrem Konto
«iban:DE spaced» (BIC «bic») ab. Rückfragen: Telefon «home:DE», E-Mail «email».

Steuernummer «pat:##/###/#####» · Handelsregister HRB «n:6»
""",
    "letter fr": """
Objet : dossier n° «n:8»

Madame, Monsieur,

je vous prie de bien vouloir virer la somme de «amount» € sur mon compte «iban:FR spaced» (BIC «bic»).
Vous pouvez me joindre au «abroad:FR» ou à l'adresse «email».

SIRET «pat:### ### ### #####»
""",
    "receipt": """
«firm»  «town»
TERMINAL «n:8»  BATCH «n:6»  SEQ «n:4»
«day» «time»
VISA ************«n:4»
AUTH «n:6»  AID A0000000031010  TVR 0000008000
TOTAL  USD  «amount»
RRN «n:12»
NO CVM REQUIRED
""",
    "boarding": """
E-TICKET «n:13»  PNR «pat:%%%%%%»
«name»  «w:LH|BA|UA»«n:4»  SEAT «n:2»A
Passport «passport»  Contact «abroad»  «email»
Frequent flyer «n:9»
""",
    "support": """
Ticket: #«n:6»
Status: open
Requester: «email»
Body:
  My account got locked after entering «phone:plain» as my phone number. My card's number is
  «card:plain» if that helps (I know I should not send it). Bank account: «iban:compact»
Attachments: screenshot_«decoy:compact time».png, log-«decoy:sha1».txt
""",
    "file note": """
Notes to file «n:6», kept by «name:first»
* «decoy»
* «decoy»
* spoke with «name» (tel. «phone:dashed»)
* «decoy»
* wrote to «email»
""",
    "directory": """
Name                   Ext.   Direct line        Mail
«name»     «n:4»   «phone:dashed»   «email»
«name»     «n:4»   «phone:dashed»   «email»
«name»     «n:4»   «phone:dashed»   «email»
""",
}


def text(r: Random) -> Labelled:
    """One document."""
    name = r.choice(list(DOCUMENTS))
    return Writer(r, FIELDS).fill(DOCUMENTS[name].lstrip("\n")).done(f"documents/{name}")
