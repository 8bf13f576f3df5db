"""More sentences of the development family: longer ones, other languages, chats, escapes."""

# ruff: noqa: E501, RUF001
from __future__ import annotations

#: Questions and orders to a bank, a shop, an office.
LONG = """
I noticed an unfamiliar charge of $«amount» on my card «card:faker», which I did not authorize; please look into it and call me at «anyphone».
We tried to deliver «product» on «day» but nobody was at home, so please arrange a new date by calling «phone:parens» or replying to «email».
For the background check we need the full name («name»), the social security number («ssn») and two references with telephone numbers: «phone:dashed», «phone:dashed».
To activate online banking, «name» entered the account number «iban:compact», the mobile number «abroad» and a PIN of four digits.
In accordance with section 4 the undersigned, «name», bearer of Social Security no. «ssn», appoints «firm» as agent.
After the merger the accounts «iban:spaced» and «iban:spaced» will be kept by «firm» under BIC «bic».
The caller, who gave the number «phone:dotted», insisted that his card ending «n:4» was the same as «card:dashed», which is not true.
Kindly update our records: old e-mail «email», new e-mail «email», effective «day».
The scholarship office asks every student to confirm by e-mail («email») that the number «ssn» on the form is right.
Hola, soy «name», mi tarjeta «card:spaced» no funciona y mi teléfono es «abroad:ES», gracias.
Guten Tag, mein Name ist «name», bitte ändern Sie meine Bankverbindung auf «iban:DE spaced» und rufen Sie zurück: «abroad:DE».
Bonjour, je souhaite résilier mon abonnement, mon numéro est le «home:FR» et mon adresse «email».
Buongiorno, sono «name», il mio conto è «iban:IT spaced» e il mio cellulare «abroad:IT».
Goedemiddag, mijn IBAN is gewijzigd in «iban:NL compact» en mijn telefoonnummer is «home:NL».
Olá, meu CPF já foi enviado; meu celular é «abroad:BR» e o e-mail «email».
Hej, mitt kontonummer är «iban:SE spaced» och min telefon «abroad:SE».
Dzień dobry, proszę o przelew na rachunek «iban:PL spaced», tel. «abroad:PL».
Dobrý den, zavolejte mi na «abroad:CZ», e-mail «email».
Hei, soittakaa numeroon «abroad:FI» tai kirjoittakaa «email».
Hallo, ring meg på «abroad:NO», konto «iban:NO compact».
Merhaba, telefonum «abroad:TR», kart numaram «card:spaced».
Здравствуйте, мой номер «abroad:RU», а карта «card:plain».
こんにちは、電話は«abroad:JP»、カードは«card:dashed»です。
안녕하세요, 제 전화번호는 «abroad:KR» 입니다.
您好，我的手机是«abroad:CN»，邮箱是«email»，卡号是«card:plain»。
Γεια σας, το τηλέφωνό μου είναι «abroad:GR».
Telefonszám: «abroad:AT», bankszámla: «iban:HU spaced»
Număr de telefon «abroad:CH», cont «iban:RO compact»
"""
#: Escapes and markup that grow into the value.
GROWN = """
{"text": "first line\\n«email»\\nlast line"}
{"msg":"call\\t«phone:dashed»\\r\\nor write"}
"ssn:\\n«ssn»\\n"
"card\\t«card:spaced»\\n"
\\u003c«email»\\u003e
&lt;«email»&gt;
%20«email»
to=%22«email»%22
'«email»'
«email»'s account
_«email»_
**«email»**
`«email»`
«email»:
«email»...
email«w:→|⇒|: |\t|=»«email»
https://x.example.com/?u=«email»#top
&nbsp;«ssn»&nbsp;
<td>«ssn»</td><td>«phone:parens»</td>
&quot;«phone:dashed»&quot;
\\"phone\\": \\"«phone:dashed»\\", \\"ssn\\": \\"«ssn»\\"
iban\\n«iban:compact»\\n
«iban:spaced»\\n
phone:&nbsp;«phone:parens»
«card:dashed»<br/>
\\tSSN: «ssn»\\t
{"keys":"\\u0022«akid»\\u0022"}
{"html":"\\u003cb\\u003eSSN: «ssn»\\u003c/b\\u003e, \\u003ci\\u003e«phone:parens»\\u003c/i\\u003e"}
{"secret":"aws_secret_access_key=\\u0022«awssecret»\\u0022"}
\\u00a0«iban:compact»\\u00a0
#«ssn»
#«phone:dashed»
SSN/ITIN: «ssn:plain»
SS: «ssn:plain»
Member «ssn», plan «n:5»
Phone interview done, social is «ssn».
PAN«card:plain»
T«phone:+1 dashed» F«phone:+1 dashed»
"""
#: Lines of chats: no capitals, no full stops, typed in haste.
CHATS = """
yo my nr is «phone:dashed» hmu
lol just use moms card «card:plain» «expiry» «cvv»
ssn is «ssn:plain» pls dont share
his digits: «phone:plain»
acct «iban:compact» thx
pw is «password:plain» 4 the vpn
u can zelle me «phone:dashed» or «email»
dm or call«phone:parens»
my email? «email» why
cc num = «card:faker»
name «name» ssn «ssn» dob «dob:us» thats all i have
number (cell): «phone:dotted», office: «phone:ext»
key «akid» secret «awssecret» (aws)
token for the bot: «slack»
pat -> «github»
"""
#: Nothing to find, and all of it tempting.
NOTHING = """
On the form: «decoy».
It says «decoy», nothing else.
«decoy» / «decoy»
Signed-off-by and dated «decoy:epoch seconds» +0200.
The part «n:3»-«n:2»-«n:3» fits the «n:4» series.
Dial-in code «n:3» «n:3» «n:3»#, host pin «n:6».
Room «n:3»-«n:4», building «n:2».
Claim «n:2»-«n:7»-«n:1» was paid in full.
SKU «n:5»-«n:3»-«n:4» is out of stock.
Between «n:4» and «n:4» the numbers rose from «n:3»,«n:3» to «n:3»,«n:3».
Article DOI 10.«n:4»/«alnum:6».«n:4».«n:7»
arXiv:«n:4».«n:5»v2
CAS «n:3»-«n:2»-«n:1»
Patent US«n:7»B2, class «n:3»/«n:3».«n:2»
ISSN «n:4»-«n:4»
UPC «n:12» lot «n:6»
Ticket #«n:10» was merged into #«n:9».
Score 21-19-2024, final.
GPS «decoy:coordinates» at «time»
Invoice «decoy:order number» of «day», sum «amount».
VAT «pat:GB### #### ##» and «pat:FR##»«n:9»
Bible 3:16-18, page «n:3»-«n:3»-«n:4»?
Docket «pat:#:##-cv-#####»
Batch «n:3».«n:3».«n:4» expires «day».
""".replace("Score 21-19-2024, final.\n", "").replace(", page «n:3»-«n:3»-«n:4»?", "")
