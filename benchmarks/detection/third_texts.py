"""Third family: sentences, documents, tables and logs."""

# ruff: noqa: E501, Q003, RUF001
from __future__ import annotations

from random import Random

from benchmarks.detection import tables
from benchmarks.detection.labels import Labelled, Writer
from benchmarks.detection.third_fields import FIELDS

SENTENCES = """
I just noticed a charge from «firm» on my credit card «card», can you reverse it?
Please block «card» right away, I left it in a taxi in «town».
How can I change the billing address that belongs to «card»?
Card on file: «card» (exp. «expiry»). Replace it with «card».
Their cashier wrote down «card:spaced» and «cvv» on a napkin!
My Amex, «card:amex plain», was declined twice.
What's the limit for card no. «card»?
We paid with «card:visa16 dashed», «expiry», CVV2 «cvv».
¿Por qué rechazaron mi tarjeta «card»?
Ma CB «card» a expiré, voici la nouvelle : «card».
Die Kartennummer lautet «card», gültig bis «expiry».
Numer karty: «card», ważna do «expiry».
クレジットカード番号は«card»です。
Please add «name» (SSN «ssn») to our group plan.
For the W-2 they need my SSN, which is «ssn:marked».
«name»'s social is «ssn:marked»; hers is «ssn».
The last employee who called gave «ssn» as identification.
SSN: «ssn:marked», DOB: «dob:us»
Social Security No. «ssn:marked» was found on a discarded form.
The deceased («ssn») left no will.
Is «ssn» a valid number? It was on the I-9 of «name».
Número de seguro social: «ssn»
My name is «name» and my social security number is «ssn:spaced».
Spouse: «name», «ssn», born «dob:us».
Please call «name» back at «phone», or on the mobile: «phone:marked».
Our fax is «phone», our phone is «phone».
Text HELP to «phone» and we'll reach out.
Emergency contact: «name» («phone»)
Office «phone» | Mobile «phone» | Fax «phone»
Reach the «town» branch on «abroad».
Bel «abroad:+31» voor een afspraak in «town».
Unter «abroad:+49» erreichen Sie unsere Zentrale.
Nous sommes joignables au «abroad:+33» du lundi au vendredi.
Mi número es «abroad:+34», llámame.
Telefone: «home:BR»
Tlf. «home:NO» / «home:DK»
電話番号：«home:JP»
WhatsApp «abroad:+55» pra combinar.
«abroad» hat angerufen.
Phone: «phone:marked»
«email» isn't receiving our newsletter.
Write to «email», «email» or «email»
Kontakt: «email».
E-mail:«email»
Did you mean «email»?
The sender was "«name» <«email»>".
Transfer 200 EUR to «iban:spaced» please.
«iban:compact» is blocked. Unblock it?
Bitte auf das Konto «iban:DE spaced» bei «firm».
Le virement vers «iban:FR spaced» est en attente.
Rekening «iban:NL compact» t.n.v. «name»
IBAN: «iban:spaced» BIC: «bic»
Our bank's SWIFT code is «bic».
ABA routing # «aba», checking.
My passport number is «passport».
Driver's license «license» was suspended.
New hire's passport («passport») expires soon.
EIN: «ein»
He posted «akid» on a forum.
The leaked pair was «akid» / «awssecret» (AWS).
AWS Secret Access Key: «awssecret»
This token works: «github»
Use «slack» for the bot.
curl says 401 with jwt «jwt»
The login came from «ip».
Password: «password»
The password is «password:plain», don't tell anyone.
Here's the kube secret: «b64:akid»
Decode this: «b64:credentials»
I used specimen id «decoy:lab sample» for the second run.
«decoy:masked card», «decoy:masked ssn».
The container «decoy:container» arrived in «town» with «n:3» pallets.
See «decoy:doi» and «decoy:arxiv».
The cost rose from «decoy:money» to «decoy:thin money».
They won «decoy:score».
Filed under «decoy».
Reference «decoy» applies; see also «decoy».
There are «n:3» «n:2» and «n:4» of those, respectively.
Dial extension «n:4» and press «n:1».
Serial «n:4»-«n:4»-«n:4»-«n:4» is registered to «name».
Between 1998-2004 and 2010-2015 about «n:3» «n:3» «n:3» units were sold.
License key: «pat:&&&&&-&&&&&-&&&&&-&&&&&»
Your confirmation code is «n:6», valid until «time».
Route «n:3»-«n:2»-«n:4»X was closed.
""".strip().splitlines()
SENTENCES = [line.replace("Serial «n:4»-«n:4»-«n:4»-«n:4»", "Serial «pat:0###-####-####-####»") for line in SENTENCES]
DOCUMENTS = (
    "«firm»\n«town», «day»\n\nApplicant information\n  Name:            «name»\n  Date of birth:   «dob:us»\n  SSN:             «ssn:marked»\n  Home phone:      «phone:marked»\n  Email:           «email»\n\nPayment\n  Card type:  VISA\n  Number:     «card»\n  Expires:    «expiry»\n",
    "From: «name» <«email»>\nTo: «email»\nCc: «name» <«email»>, «email»\nSubject: Re: Re: direct deposit\nDate: Thu, 12 Jun 2025 «time» +0200\nMessage-ID: <«hex:20»@mx.invalid>\n\nHi,\n\nrouting number «aba», account number «n:10».\n> On «day», you wrote:\n> > my SSN is «ssn» and my cell is «phone»\n\n--\n«name»\n«firm»\nT «abroad»\nF «abroad»\n",
    "INVOICE «n:6»\n\nBill to: «name», «town»\nVAT: «n:9»\nQty  Item            Price\n1    «product»       «amount»\n\nPayable to «firm»\nIBAN «iban:spaced»\nSWIFT/BIC «bic»\nQuestions: «email» or «abroad»\n",
    "PATIENT INTAKE\nMRN «n:8»   Visit «n:9»\nPt: «name»  DOB «dob:us»  SSN «ssn»\nInsurance: Blue Mesa, member «alnum:3»«n:9»\nEmergency contact «name» «phone»\nRx: «decoy:ndc», refills 2\nNote: pt reports pain 6/10; BP 128/82; HR 071; callback «phone».\n",
    "[«time»] agent: Thank you for calling «firm».\n[«time»] caller: yeah hi, it's about the card ending in «n:4»\n[«time»] agent: Could you read me the full number?\n[«time»] caller: sure. «card:spaced»\n[«time»] agent: And your social for verification?\n[«time»] caller: «ssn»\n[«time»] agent: Best number to reach you?\n[«time»] caller: «phone»\n",
    "BEGIN:VCARD\nVERSION:4.0\nFN:«name»\nTEL;VALUE=uri;TYPE=\"voice,home\":tel:«phone:+1 dashed»\nTEL;TYPE=cell:«abroad»\nEMAIL;TYPE=work:«email»\nREV:20250612T«n:6»Z\nUID:urn:uuid:«uuid»\nEND:VCARD\n",
    "ARRENDAMIENTO\nEntre «name» (tel. «abroad:+34», correo «email») y «firm».\nEl pago se hará a la cuenta «iban:ES spaced» antes del día 5 de cada mes.\nReferencia: «decoy:order number»\n",
    "Mietvertrag\nzwischen «firm» und «name»\nTelefon: «home:DE»\nE-Mail: «email»\nIBAN: «iban:DE spaced»\nBIC: «bic»\nWohnfläche: 078,45 m², Kaltmiete «n:3»,00 EUR\n",
    "Schedule C\nA  Principal business: «product»   B  Code 54«n:4»\nName of proprietor «name»    Social security number (SSN) «ssn»\nD  Employer ID number (EIN): «ein»\nGross receipts «n:6».«n:2»  Returns «n:4».00\n",
    "| Contact | Phone | Mail |\n|---|---|---|\n| «name» | «phone» | «email» |\n| «name» | «abroad» | «email» |\n\nRunbook: rotate «akid» first; its secret access key is `«awssecret»`.\n",
    "Incident «n:5»\nWhat leaked: one GitHub PAT («github»), the Slack bot token («slack») and the prod DSN «db».\nHow: committed in «hex:7».\nkubectl get secret -o yaml showed\n  data:\n    creds: «b64:credentials»\n",
    "Dear Sir or Madam,\nplease wire the sum of «amount» to IBAN «iban:spaced», SWIFT «bic», and confirm by fax: «abroad».\nShould you need my identity: passport «passport», driver's license no. «license».\nYours faithfully,\n«name»\n",
    "Chromatography log, column 7\nrun  retention   area        compound\n1    «n:1».«n:3»       «n:9»   CAS «n:4»-«n:2»-«n:1»\n2    «n:1».«n:3»       «n:9»   «decoy:cas number»\n3    «n:1».«n:3»       «n:9»   «decoy:lab sample»\n",
    "TRIAL BALANCE «day»\n1000 Cash           «n:3»,«n:3».«n:2»\n1100 Receivables    «n:3»,«n:3».«n:2»\n2000 Payables      («n:3»,«n:3».«n:2»)\nCheck no. «n:10»  batch «n:9»  GL 4«n:3»-«n:4»-«n:4»\n",
)  # fmt: skip
COLUMNS: dict[str, tuple[str, ...]] = {
    "ssn": ("SSN", "Soc Sec Nbr", "EmployeeSSN", "social_sec", "tax_ssn", "dependent_ssn"),
    "ssn:plain": ("SSN", "ssn_clean", "SocialSecurityNum", "MBR_SSN", "ssn_raw"),
    "card:plain": ("card_pan", "CardNumber", "CREDIT_CARD_NO", "cc_num", "payment_card_number", "Kreditkarte"),
    "card:spaced": ("Card", "credit card no", "CC #"),
    "card": ("PAN", "card_no"),
    "email": ("EMAIL", "mail_addr", "Email (work)", "login_email", "correo", "e_mail"),
    "phone": ("Phone", "TelNo", "phoneNumber", "Home Tel", "contact_phone", "fax"),
    "phone:marked": ("PHONE", "mobile", "cell_number", "tel_no", "customer_phone"),
    "abroad": ("Telefon", "phone", "mobile_phone", "Tel. (int.)", "teléfono"),
    "iban": ("IBAN", "iban_no", "debtor_iban", "creditor_account", "Conto IBAN"),
    "ip": ("ip_addr", "last_ip", "client"),
    "aba": ("aba_routing", "Routing No", "RTN"),
    "akid": ("AccessKey", "key_id"),
    "awssecret": ("aws_secret_access_key", "SecretKey"),
    "github": ("github_token", "value"),
    "dob:iso": ("birthdate", "DOB"),
}  # fmt: skip
NOTHING = (
    ("seq_no", "n:6"), ("claim", "n:10"), ("policy_no", "n:9"), ("insured", "name"), ("branch", "town"), ("posted", "day"),
    ("created", "decoy:date and time"), ("premium", "amount"), ("ratio", "decoy:decimal"), ("row_id", "uuid"), ("etag", "hex:32"),
    ("container", "decoy:container"), ("ndc", "decoy:ndc"), ("specimen", "decoy:lab sample"), ("ts_ms", "decoy:epoch milliseconds"),
    ("firmware", "decoy:version"), ("geo", "decoy:coordinates"), ("ledger", "n:12"), ("awb", "n:11"), ("terminal_id", "n:8"),
    ("auth_code", "n:6"), ("rrn", "n:12"), ("stan", "n:6"), ("meter", "n:14"), ("isbn", "decoy:isbn"), ("payload", "blob"), ("qty", "n:2"),
)  # fmt: skip
LOGS = """
«day»T«time».«n:3»Z  WARN 1 --- [nio-8080-exec-«n:1»] c.acme.web.CheckoutController : Payment declined for card=«card:plain» amount=«n:2».«n:2»
«day» «time»,«n:3» ERROR [pool-3-thread-«n:1»] o.h.engine.jdbc.spi.SqlExceptionHelper - ERROR: duplicate key value violates unique constraint "users_ssn_key" Detail: Key (ssn)=(«ssn») already exists.
{"@timestamp":"«day»T«time».«n:3»Z","log.level":"info","message":"sms sent","to":"«phone:E.164»","trace.id":"«hex:32»"}
level=debug ts=«day»T«time»Z caller=auth.go:«n:3» msg="login ok" user=«email» ip=«ip»
nginx: «ip» - - [12/Jun/2025:«time» +0000] "GET /reset?email=«email»&t=«hex:16» HTTP/2.0" 302 «n:3» "-" "curl/8.5.0"
[«day» «time»] local.INFO: user registered {"name":"«name»","phone":"«phone:marked»","iban":"«iban:compact»"}
«time» DEBUG > Authorization: Bearer «jwt»
Jun 12 «time» worker-«n:1» kernel: audit: type=1400 audit(«n:10».«n:3»:«n:6»): apparmor="DENIED" pid=«n:5»
W0612 «time».«n:6»       1 reflector.go:«n:3»] watch of *v1.Secret: data: {"token":"«b64:github»"}
AWS_ACCESS_KEY_ID=«akid» AWS_SECRET_ACCESS_KEY=«awssecret» terraform apply
go: downloading github.com/x/y v0.0.0-2025061200«n:4»-«hex:12» «decoy:go sum»
npm http fetch GET 200 https://registry.example/left-pad/-/left-pad-1.«n:1».0.tgz «n:4»ms integrity «decoy:sri»
slack: POST chat.postMessage token=«slack» channel=C0«alnum:8»
git push https://«github»@github.com/acme/app.git main
asterisk: -- Called SIP/trunk/«phone:plain» (callerid «phone:plain»)
twilio: from «phone:E.164» to «abroad» status delivered sid SM«hex:32»
INSERT INTO applicants(id, ssn, mail) VALUES («n:7», '«ssn»', '«email»');
txn «n:12» stan «n:6» rrn «n:12» pan «decoy:masked card» ok
connected to «db»
metric http_requests_total{code="200"} «n:10» «n:13»
span «hex:16» «decoy:trace of w3c» took 0.«n:9»s
disk sda: «n:9» sectors, «n:12» bytes, serial S5«n:13»
snmp «decoy:oid» = Counter64: «n:16»
blame «decoy:git blame»
node «uuid» heartbeat «n:13» lag «n:5»
vehicle «n:6» pos «decoy:coordinates» odo «n:9» ts «n:10»
ntp: offset -0.«n:9» delay 0.«n:9» refid 0x«hex:8»
payload «blob»
raid: rebuilt «n:3»-«n:3»-«n:4» of «n:10» stripes
""".strip().splitlines()


def sentences(r: Random) -> Labelled:
    """One to five sentences, each on its line or in one paragraph."""
    w, glue, names = Writer(r, FIELDS), r.choice(("\n", " ", "\n\n")), []
    for at in range(r.randrange(1, 6)):
        number = r.randrange(len(SENTENCES))
        names.append(str(number))
        w.put(glue if at else "").fill(SENTENCES[number])
    return w.done("sentences/" + "+".join(names))


def documents(r: Random) -> Labelled:
    """One document, sometimes two of them."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.choice((1, 1, 1, 2))):
        number = r.randrange(len(DOCUMENTS))
        names.append(str(number))
        w.fill(DOCUMENTS[number]).put("\n")
    return w.done("documents/" + "+".join(names))


def table(r: Random) -> Labelled:
    """One table."""
    return tables.table(r, COLUMNS, NOTHING, FIELDS)


def logs(r: Random) -> Labelled:
    """Six to forty lines."""
    w = Writer(r, FIELDS)
    for _ in range(r.randrange(6, 40)):
        w.fill(r.choice(LOGS)).put("\n")
    return w.done("logs")
