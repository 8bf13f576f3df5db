"""Fourth family: sentences and documents as public labelled sets have them, and logs."""

# ruff: noqa: E501, RUF001
from __future__ import annotations

from random import Random

from benchmarks.detection.fourth_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

SENTENCES = """
What is the balance behind «card»? I can't log in.
I lost my wallet yesterday, the card was «card», please freeze it.
Could you send me last month's statement for «card»
My new one is «card», the old one «card» should be gone by now
«name» pays with «card» and lives at «address».
cc: «card» cvv: «cvv» exp: «expiry»
As promised, these are the details: «card:grouped», valid thru «expiry», «cvv».
Charge it to my Visa «card:visa».
charge it to my diners club card «card:diners».
the maestro number is «card:maestro»
My JCB card's number «card:jcb» isn't accepted on your website.
A Visa from the nineties, «card:visa13», is in the file.
The long Visa number is «card:visa19»
Number on the card reads «card:any».
I want to cancel my card «card:any» since it was stolen in «town»
Billing: «name», «street», «town» «zip», card number «card:any», cvc «cvv»
Hi, this is «name». You can reach me at «phone».
Her number is «phone», call after six.
You may also text «phone».
Please have the technician ring «phone» upon arrival
«name» | «job» | «firm» | «phone»
Customer service «phone» is open 24/7
We left a voicemail on «phone» but got no reply from «name».
it's me again, new number «phone», delete the old one
For assistance dial «phone» (toll free).
Phones: «phone»; «phone»
If urgent, contact «name» on «world:en_GB».
Rufen Sie uns an: «world:de_DE»
Meine Handynummer ist «world:de_DE».
Appelez le «world:fr_FR» pour toute question.
Mon numéro de téléphone : «world:fr_FR»
Llámeme al «world:es_ES» o escriba a «email:es_ES».
Il mio numero di telefono è «world:it_IT».
Mijn telefoonnummer is «world:nl_NL»
Mój numer telefonu to «world:pl_PL».
Meu telefone é «world:pt_BR».
Mitt telefonnummer är «world:sv_SE».
Puhelinnumeroni on «world:fi_FI».
Mit telefonnummer er «world:da_DK».
Numara: «world:tr_TR», telefon her zaman açık.
Мой телефон: «world:ru_RU»
我的电话号码是«world:zh_CN»。
電話は «world:ja_JP» です。
Ring me on my mobile, «world:en_AU».
my mobile number is «world:en_IN»
The «town» office answers at «abroad».
«abroad» called twice today.
Dial «abroad» from outside the country
«name»'s SSN is «ssn:any».
My social security number is «ssn:any», do you need anything else?
ssn «ssn:plain»
please update my SSN on file. The correct number is «ssn:plain».
For tax purposes I need the social security number of each dependent: «ssn:any», «ssn:any» and «ssn:any».
The SSN that you gave us («ssn:any») does not match our records
Borrower «name», «ssn:dashed», applied for a loan of $«amount».
I was asked for the last four of my social, so here is all of it: «ssn:any»
Applicant's Social: «ssn:plain»
Verify identity with SSN ending «n:4»; full «ssn:any»
Wire it to «iban» by Friday.
My IBAN is «iban:any», the BIC is «bic».
Bitte überweisen Sie auf «iban:spaced»
the refund went to account «iban:any» at «firm»
«iban»
SWIFT code «bic», beneficiary «name»
Email «email» or visit «url».
«name» <«email»> wrote:
Subscribe «email:de_DE» to the list, remove «email»
Mail an «email:de_DE», danke
Is «email» still your address?
I was born on «dob» in «town».
Date of birth: «dob:%m/%d/%Y»
My driver's license number is «license».
DL# «license», state ID expired
«name»'s passport «passport» was issued in «town».
The server at «ip» rejected my login, user «user».
Somebody from «ip» logged in as «email».
My boss shared an AWS key with me: «akid»
Here are the AWS creds: «akid» «awssecret»
bot token «slack» pls keep safe
use «github» to clone
ABA «aba», account «n:12»
the routing number of my bank is «aba»
EIN «ein» belongs to «firm»
«sentence» «sentence»
«paragraph»
«decoy»
Your «decoy:policy» was renewed until «day».
The «decoy:member id» is printed on the card's back side.
Please note the «decoy:reservation» for «name».
Dial-in passcode «n:9»#, meeting id «n:3» «n:4» «n:4».
Take «decoy:flight».
My «decoy:account of ten» was closed; «decoy:case number» is pending.
Ship to «name», «address». Weight 12.«n:3» kg, «decoy:tracking of twelve».
Population rose from 3«n:6» to 5«n:6», a plus of 2«n:2»-3«n:2» a day.
The part «n:3»-«n:4»-«n:2» is out of stock, use «n:4»-«n:3»-«n:3».
Chapter 12, verses «n:3»-«n:3»; ISBN 978-0-«n:3»-«n:5»-«n:1».
""".strip().splitlines()
SENTENCES = [line.replace("ISBN 978-0-«n:3»-«n:5»-«n:1»", "«decoy:isbn»") for line in SENTENCES]
DOCUMENTS = (
    "**Patient Name:** «name»\n**Date of Birth:** «dob:%m/%d/%Y»\n**SSN:** «ssn»\n**Phone:** «phone»\n**Email:** «email»\n\n**Chief complaint.** «sentence»\n\n**Plan**\n1. «sentence»\n2. Follow up in 2 weeks; front desk «phone».\n",
    "LOAN APPLICATION #«n:8»\n\nBorrower .......... «name»\nSoc. Sec. No. ..... «ssn:any»\nDriver License .... «license»\nHome Phone ........ «phone»\nEmployer .......... «firm» (EIN «ein»)\n\nBank «firm», routing «aba», account «n:10»\nRequested amount: $«amount»\n",
    "From: «name» <«email»>\nTo: «name» <«email»>\nDate: Mon, 03 Mar 2025 «time» -0500\nSubject: card on file\n\nHi «name:en_GB»,\n\nmy card «card:any» expires «expiry». The new one: «card:any», security code «cvv».\n\nBest,\n«name»\n«job», «firm»\nO: «phone» | M: «phone:core»\n«url»\n",
    "Zahlungsaufforderung\n\n«firm:de_DE»\n«address:de_DE»\n\nRechnungsnr. «n:7» vom «when:%d.%m.%Y»\nBetrag: «amount» EUR\nIBAN: «iban:any»\nBIC: «bic»\nRückfragen: «world:de_DE», «email:de_DE»\n",
    "Attestation\n\nJe soussigné(e) «name:fr_FR», né(e) le «dob:%d/%m/%Y», demeurant «address:fr_FR»,\ntél. «world:fr_FR», courriel «email:fr_FR»,\nautorise le prélèvement sur le compte «iban:any».\n",
    "POLICE REPORT\nIncident: 25-«n:6»   Officer badge «n:4»\nComplainant: «name», DOB «dob:%m/%d/%Y», OLN «license»\nContact: «phone» / «email»\nNarrative: «paragraph» Suspect vehicle plate «plate». Victim stated her Visa «card:visa16» and SSN card («ssn») were taken.\n",
    "1040 worksheet (draft)\nTaxpayer  «name»   «ssn»\nSpouse    «name»   «ssn»\nDependents: «name» «ssn», «name» «ssn»\nRefund to routing no. «aba» acct «n:11»\nPreparer PTIN P0«n:7», firm EIN «ein», phone «phone»\n",
    "-----\nuser_name: «user»\nfull_name: «name»\nemail: «email»\nphone: «phone»\nssn: «ssn:any»\ncredit_card: «card»\niban: «iban»\nip: «ip»\nnote: «sentence»\n-----\n",
    "Customer: hi\nAgent: Hello «name», how may I help?\nCustomer: i want to change my phone number\nAgent: Sure. What is the new number?\nCustomer: «phone»\nAgent: And the card you used?\nCustomer: «card:any»\nAgent: Last question, your social?\nCustomer: «ssn:any»\n",
    "Curriculum Vitae\n«name»\n«address»\nTel «abroad» · «email» · «url»\n\nExperience\n2015-2019  «job», «firm»\n2019-2024  «job», «firm»\nReferences: «name», «phone»; «name», «abroad»\n",
    "EMPLOYEE RECORD\n  Name        «name»\n  Employee #  «n:6»\n  SSN         «ssn:any»\n  Hired       «day»\n  Direct dep. «aba» / «n:9»\n  Cell        «phone»\n  Emergency   «name»  «phone»\n",
    "Wire instructions\n----------------\nBeneficiary: «name»\nBank: «firm»\nSWIFT: «bic»\nIBAN: «iban:any»\nReference: INV-«n:9»\nAmount: EUR «amount»\nContact «email» or «abroad».\n",
    "# Runbook: rotate keys\n\n«sentence»\n\n```\nexport AWS_ACCESS_KEY_ID=«akid»\nexport AWS_SECRET_ACCESS_KEY=«awssecret»\naws s3 ls s3://«word»-«hex:8»\n```\n\nOld bot token: `«slack»`, CI: `«github»`.\n",
    "QUARTERLY OPERATIONS SUMMARY\n\nUnits shipped    «n:3»,«n:3»\nReturns            «n:4»\nSKU   «n:3»-«n:3»-«n:4»X   «n:5»\nSKU   «n:3»-«n:3»-«n:4»X   «n:5»\nDocket «decoy:case number», «decoy:zip plus four».\n«paragraph»\n",
    "Laboratory report  Accession «n:10»\nCollected «when:%Y%m%d%H%M»  MRN «n:8»\nWBC 6.«n:1»  RBC 4.«n:2»  HGB 13.«n:1»  PLT «n:3»\nOrdering NPI 1«n:8»  Page 1 of 2\n«decoy:member id»\n",
)  # fmt: skip
LOGS = """
«when» INFO  [«word»-service,«hex:16»,«hex:16»] Sending OTP to «phone:core»
«when» DEBUG PaymentController - request body {"pan":"«card»","expiry":"«expiry»","cvv":"«cvv»","holder":"«name»"}
«when» WARN  validation failed for field ssn value=«ssn:any»
«ip» - «user» [«when:%d/%b/%Y:%H:%M:%S +0000»] "POST /login HTTP/1.1" 200 «n:4» "«url»" "«agent»"
«when:%b %d %H:%M:%S» mail postfix/smtp[«n:5»]: «hex:10»: to=<«email»>, relay=«word».example.net[«ip»]:25, delay=0.«n:2», status=sent
{"level":"info","ts":«n:10».«n:6»,"caller":"auth/login.go:«n:3»","msg":"login","email":"«email»","ip":"«ip»","trace_id":"«hex:32»"}
{"timestamp":"«when»","severity":"ERROR","message":"card «card:any» declined","span":"«hex:16»","duration_ms":«n:4»}
[«when»] production.ERROR: SQLSTATE[23000]: Duplicate entry '«email»' for key 'users.email' (SQL: insert into users (name, phone) values («name», «phone»))
time="«when»" level=warning msg="using AWS_ACCESS_KEY_ID=«akid» from env" pid=«n:5»
+ export AWS_SECRET_ACCESS_KEY=«awssecret»
remote: https://«github»@github.com/«word»/«word».git
slack_client: token «slack» revoked
«when» Call from «abroad» to «abroad» duration=«n:3»s cause=16
SIP/2.0 200 OK Via: SIP/2.0/UDP «ip»:5060;branch=z9hG4bK«hex:12» From: <sip:+1«pat:^##^######»@«ip»>
«when» transfer iban=«iban» amount=«amount» ref=«n:12»
Authorization: Bearer «jwt»
npm WARN deprecated «decoy:npm version»: «sentence»
added «decoy:npm scope version» in «n:2»s
origin  «decoy:git remote» (fetch)
«decoy:prompt»
commit «hex:40»
index «hex:7»..«hex:7» 100644
«decoy:diff hunk»
Successfully installed «word»-«n:2».«n:1».«n:1» «word»-2024.«n:1».«n:2»
Digest: sha256:«hex:64»
«when» metrics heap=«n:9» gc=«n:6» rss=«n:10» fds=«n:3» uptime=«n:10»
«when» consumer group=«word» partition=«n:2» offset=«n:10» lag=«n:5» leader=«n:3»
{"resourceSpans":[{"traceId":"«hex:32»","«decoy:nano»"}]}
epoch «n:2» «decoy:float» lr=0.«n:6» step «n:9»
GPS «n:2».«n:7» -«n:2».«n:7» alt «n:3».«n:2» fix «n:13»
kernel: [«n:6».«n:6»] usb 1-1: SerialNumber: «n:12»
eth0: RX packets «n:10» bytes «n:12» (4.«n:1» GiB) TX packets «n:9»
job «uuid» state=done id=«n:10» parent=«n:10» «decoy:milliseconds»
<134>1 «when» host app «n:4» ID47 - order «n:10» shipped, tracking «n:12»
""".strip().splitlines()


def sentences(r: Random) -> Labelled:
    """One to three sentences, as one record of such a set."""
    w, names = Writer(r, FIELDS), []
    for at in range(r.choice((1, 1, 2, 3))):
        number = r.randrange(len(SENTENCES))
        names.append(str(number))
        w.put(r.choice((" ", "\n")) if at else "").fill(SENTENCES[number])
    return w.done("sentences/" + "+".join(names))


def documents(r: Random) -> Labelled:
    """One document."""
    w, number = Writer(r, FIELDS), r.randrange(len(DOCUMENTS))
    return w.fill(DOCUMENTS[number]).done(f"documents/{number}")


def logs(r: Random) -> Labelled:
    """Five to fifty lines, some sorts of them more often than others."""
    w = Writer(r, FIELDS)
    some = r.sample(LOGS, r.randrange(4, 16))
    for _ in range(r.randrange(5, 50)):
        w.fill(r.choice(some)).put("\n")
    return w.done("logs")
