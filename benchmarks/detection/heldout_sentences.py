"""Held out: sentences. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

LINES = """
Hello, this is «name». I forgot my PIN for the card «card», what should I do?
The charge on «card» from «day» isn't mine!
Has the payment with card number «card» gone through? I ordered «product».
Add «card» as a backup payment method and remove the one that ended in «n:4».
I'd like to close my account; my debit card is «card» and my zip is «n:5».
He read it out to me: «card:bare». Then he hung up.
Cardholder «name», no. «card», valid thru «expiry», code on the back «cvv»
Visa/MC/Amex accepted. Yours: «card»
The customer typed "«card:bare»" into the chat window.
creditcard «card»
Her Social Security card shows «ssn».
On line 2 enter your SSN, for example the one you gave us: «ssn:marked».
My old SSN was «ssn», the new one is «ssn».
«name», social security number «ssn:marked», states under oath:
SSN (last seen on the W-2) = «ssn:marked»
Applicant «ssn» did not answer our letter.
Please shred anything that mentions «ssn».
Could somebody from payroll fix my social? It should read «ssn» not «decoy:ssn of wrong grouping».
s.s.n. «ssn»
Identity: «name» / «ssn» / «email»
ssn# «ssn:marked» dob «dob:us»
Verify with the last four of «ssn».
Taxpayer ID (SSN): «ssn:marked»
How do I add my wife? Her social security number is «ssn» and she was born in «town».
Anybody there? ring me on «phone».
My new number is «phone», the old one stops working on «day».
«name» can be reached at work («phone») or at home («phone»).
Leave a message at «abroad» and I'll get back to you.
The hotline («phone») is open 24/7.
Lost dog! Call or text «phone» any time.
Direct dial «phone:marked» fax «phone:marked»
Phone number on file: «phone:marked». Is it still correct?
Mobile no «abroad», landline «home:en_GB»
You missed a call from «abroad».
Reply STOP to unsubscribe or call «phone».
I would like to stop receiving messages to «phone:marked».
Signal/WhatsApp: «abroad»
Press: «name», «abroad», «email»
If urgent: «abroad».
Kindly call back «abroad» regarding the «product».
tel. «home:en_GB» (ask for «name»)
Reservation for two under «name», «phone».
Who owns «abroad»? It keeps calling.
Send the contract to «email» and cc «email».
«email» wrote on «day»:
I can't log in with «email», it says the user does not exist.
Questions → «email»
Email us (mailto:«email») or visit our shop.
My e-mail is «email»; my backup e-mail is «email».
The invoice goes to «email»!
hey «email» check this out
Is it possible to transfer money to «iban:spaced» from your app?
Salary goes to «iban:compact» from next month on.
The transfer from «iban:compact» bounced; please use «iban:spaced».
My landlord's IBAN: «iban:spaced» (account holder «name»)
Refund €«amount» → «iban»
International account number «iban», bank code «bic»
Please find our bank details: IBAN «iban:spaced» / SWIFT «bic».
DD mandate for «iban:compact» was revoked on «day».
Bank: «firm», «iban:compact»
The wire needs ABA «aba» and account «n:9».
We pay by ACH; routing no. «aba».
Passport: «passport», issued in «town»
The firm's EIN «ein» is on the W-9.
Someone committed «akid» to the repository last night.
access key id: «akid», secret access key: «awssecret»
For the demo use key «akid» and AWS secret «awssecret», I will rotate them.
ok so the PAT is «github» and it expires on «day»
Bot User OAuth Token: «slack»
Authorization header was "Bearer «jwt»".
Here is the id_token that fails: «jwt»
My ip is «ip», why am I banned?
The password for the wifi is «password».
Passwort: «password»
Meine Telefonnummer lautet «abroad:de_DE», ich bin ab acht Uhr erreichbar.
Rückruf bitte unter Tel. «home:de_DE».
Die Überweisung auf «iban:DE spaced» kam nie an.
Kreditkarte «card», Prüfziffer «cvv», läuft ab «expiry»
Schreiben Sie uns an «email» oder faxen Sie an «abroad:de_DE».
Bankverbindung: «firm», IBAN «iban:DE spaced», BIC «bic»
Vous trouverez mon RIB ci-joint : «iban:FR compact».
Contactez le service client au «abroad:fr_FR» ou par mail : «email».
Numéro de téléphone : «home:fr_FR»
Ma carte «card» a été refusée hier soir.
Por favor, envíe el dinero a la cuenta «iban:ES spaced».
Mi teléfono es «abroad:es_ES» y mi correo «email».
Llame al teléfono «home:es_ES» de lunes a viernes.
La tarjeta «card» caduca el «expiry».
Il numero di telefono è «abroad:it_IT».
Bonifico su «iban:IT spaced» entro il «day».
Numero di carta: «card»
Tel. «home:it_IT» oppure «email»
Mijn telefoonnummer is «abroad:nl_NL».
Graag overmaken naar «iban:NL spaced» t.n.v. «name»
Telefoon: «home:nl_NL»
Mitt mobilnummer är «abroad:sv_SE» och mejl «email».
Betala till «iban:SE spaced».
Meu cartão «card» foi clonado!
Telefone para contato: «abroad:pt_BR»
連絡先: «abroad:ja_JP»、«email»
For our files: «decoy».
We noted «decoy» and «decoy» on «day».
Please quote reference «n:8» and parcel «decoy:parcel».
Your order «decoy:amazon order» will arrive on «day».
The hash is «decoy:sha256», signed at «decoy:epoch seconds».
Case «decoy:order number» was closed without action.
Take exit «n:2», then «n:3» «n:3» «n:4» steps to the north.
It weighs «decoy:decimal» grams.
There were «n:3»,«n:3»,«n:3» visitors between 2010-2019 and 2020-2024.
Model «decoy:part number» replaces model «n:3»-«n:2»-«n:3».
The answer is «n:9» divided by «n:4».
Flight «lot» leaves at «time», gate «n:2».
ISBN «n:1»-«n:4»-«n:4»-«n:1», second edition, pages «n:3»-«n:3».
The card «decoy:card with wrong check digit» is not valid, it fails the checksum.
IBAN «decoy:iban with wrong check digits» is mistyped.
«decoy:impossible ssn» cannot be a Social Security number.
Use 4111 1111 1111 1111 in the sandbox and never the real one.
""".replace("Use 4111 1111 1111 1111", "Use «decoy:published card»")
TEMPLATES = LINES.strip().splitlines()
BETWEEN = (
    "Best regards, the team of «firm».", "This was discussed at length on «day».", "No further action is required.",
    "I have been a customer for «n:1» years and never had such a problem before, which is why I am writing to you today.",
    "Vielen Dank im Voraus.", "Merci d'avance.", "Sent from my phone", "(see attachment)", "PS: it is urgent!!",
)  # fmt: skip


def text(r: Random) -> Labelled:
    """One to four sentences."""
    w, names = Writer(r, FIELDS), []
    for at in range(r.choice((1, 1, 2, 4))):
        number = r.randrange(len(TEMPLATES))
        names.append(str(number))
        w.put(r.choice((" ", "\n", "  ")) if at else "").fill(TEMPLATES[number])
        if r.random() < 0.3:  # noqa: PLR2004
            w.put(" ").fill(r.choice(BETWEEN))
    return w.done("sentences/" + "+".join(names))
