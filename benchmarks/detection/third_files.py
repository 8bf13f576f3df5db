"""Third family: structured files, source code, and what stands in odd places."""

# ruff: noqa: E501, PLR2004, Q003, RUF001
from __future__ import annotations

from random import Random

from benchmarks.detection import adversarial
from benchmarks.detection.labels import Labelled, Writer
from benchmarks.detection.third_fields import FIELDS

STRUCTURED = (
    '{"resourceType":"Patient","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"«ssn»"},{"type":{"text":"MRN"},"value":"«n:8»"}],"telecom":[{"system":"phone","value":"«phone»","use":"home"},{"system":"email","value":"«email»"}]}\n',
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n  uid: «uuid»\ntype: Opaque\ndata:\n  credentials: «b64:credentials»\n  github: «b64:github»\n  database-url: «b64:db»\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: aws}\ndata:\n  AWS_ACCESS_KEY_ID: «b64:akid»\n  env: «b64:secret»\n",
    "auth:\n  slack: «slack»\n  github:\n    token: \"«github»\"\n  aws:\n    access_key_id: «akid»\n    secret_access_key: «awssecret»\n  smtp:\n    password: «password:plain»\n",
    '<?xml version="1.0"?>\n<Customers>\n <Customer id="«n:6»"><SSN>«ssn:plain»</SSN><Phone type="cell">«phone:marked»</Phone><Email>«email»</Email><CreditCard><Number>«card:plain»</Number><Exp>«expiry»</Exp></CreditCard></Customer>\n</Customers>\n',
    "[Credentials]\nAccessKeyId = «akid»\nSecretAccessKey = «awssecret»\n\n[contact]\nmail = «email»\nphone = «phone:marked»\n",
    "- hosts: all\n  vars:\n    aws_access_key: «akid»\n    aws_secret_key: \"«awssecret»\"\n    slack_webhook: \"«webhook»\"\n    checksum: sha256:«hex:64»\n",
    'resource "aws_db_instance" "main" {\n  identifier = "prod-«hex:8»"\n  username   = "admin"\n  password   = "«password:plain»"\n  kms_key_id = "arn:aws:kms:eu-west-1:«n:12»:key/«uuid»"\n}\nprovider "aws" {\n  access_key = "«akid»"\n  secret_key = "«awssecret»"\n}\n',
    "COPY public.people (id, full_name, ssn, phone, card) FROM stdin;\n«n:6»\t«name»\t«ssn»\t«phone»\t«card:plain»\n«n:6»\t«name»\t«ssn»\t«phone»\t«card:plain»\n\\.\n",
    '{"auths":{"registry.example.com":{"username":"ci","email":"«email»","auth":"«blob»"}},"token":"«jwt»"}\n',
    "dn: uid=«alnum:6»,ou=people,dc=example,dc=org\nmail: «email»\ntelephoneNumber: «abroad»\nmobile: «abroad»\nentryUUID: «uuid»\ncreateTimestamp: 20250612«n:6»Z\n",
    '{"type":"charge","id":"ch_«alnum:24»","amount":«n:5»,"source":{"number":"«card:plain»","exp_month":«n:1»,"brand":"Visa"},"created":«n:10»,"receipt_email":"«email»"}\n',
    "<form><input name=ssn value=\"«ssn»\"><input type=tel name=phone value='«phone»'><input name='cc-number' value='«card»'></form>\n",
    "msg {\n  user_id: «n:10»\n  email: \"«email»\"\n  phone: \"«phone:E.164»\"\n  card { pan: \"«card:plain»\" token: «n:18» }\n}\n",
    "{'ssn': '«ssn:marked»', 'phones': ['«phone»', '«abroad»'], 'id': «n:9», 'score': 0.«n:12»}\n",
    "lockfileVersion: 3\npackages:\n  node_modules/a: {version: 1.«n:1».«n:2», integrity: «decoy:sri»}\n  node_modules/b: {resolved: «decoy:npm scope»}\n",
    "features:\n  - {type: Point, coordinates: [«decoy:coordinates»], id: «n:9», updated: «n:13»}\n  - {type: Point, coordinates: [«decoy:coordinates»], id: «n:9», updated: «n:13»}\n",
    "server:\n  host: «ip»\n  dsn: \"«db»\"\n  image: app@sha256:«hex:64»\n  build: «n:4».«n:3».«n:3»\n",
    'Content-Type: multipart/form-data; boundary="x"\n\n--x\nContent-Disposition: form-data; name="ssn"\n\n«ssn»\n--x\nContent-Disposition: form-data; name="card_number"\n\n«card»\n--x--\n',
    "pan=«card:plain»&exp=«n:4»&email=«email»&phone=«phone:plain»&amount=«n:4»&nonce=«hex:32»\n",
    '"data:text/plain;base64,«b64:ssn»"\n"data:application/json;base64,«b64:card»"\n',
)  # fmt: skip
CODE = (
    'package main\n\nvar cfg = aws.NewConfig().WithCredentials(credentials.NewStaticCredentials("«akid»", "«awssecret»", ""))\n',
    "const s3 = new S3Client({ credentials: { accessKeyId: '«akid»', secretAccessKey: '«awssecret»' }, region: 'us-east-2' });\n",
    'AWS.config(access_key_id: "«akid»", secret_access_key: "«awssecret»")\nputs "«email»"\n',
    'private static final String AWS_SECRET = "«awssecret»";\nprivate static final String TOKEN = "«github»";\n',
    "os.environ['AWS_SECRET_ACCESS_KEY'] = '«awssecret»'\nos.environ['AWS_ACCESS_KEY_ID'] = '«akid»'\nassert sha1 == '«hex:40»'\n",
    "$cfg = ['key' => '«akid»', 'secret' => '«awssecret»', 'bucket' => 'acme'];\n",
    'let token = "«github»";\nlet hook = "«webhook»";\nlet slack = String::from("«slack»");\n',
    "var slackToken = '«slack»' // TODO move\nvar support = '«phone»'\n",
    'func TestJWT(t *testing.T) {\n\traw := "«jwt»"\n\tif sum != "«hex:64»" { t.Fatal(sum) }\n}\n',
    "@Value(\"${aws.secret}\") String secret;\nString id = \"«uuid»\";\nlong n = «n:16»L;\ndouble d = 4.«n:15»;\n",
    "PRIVATE_KEY = \"\"\"«pem»\"\"\"\nPUBLIC = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI«alnum:40»'\n",
    "export GITHUB_TOKEN=«github»\nexport AWS_SECRET_ACCESS_KEY=«awssecret»\nexport DATABASE_URL=«db»\n",
    "FROM python:3.12@sha256:«hex:64»\nENV AWS_ACCESS_KEY_ID=«akid» AWS_SECRET_ACCESS_KEY=«awssecret»\n",
    "static const uint32_t crc[] = { 0x«hex:8», 0x«hex:8», 0x«hex:8» };\n// 3.141592653589793 2.718281828459045\nint ids[] = {«n:9», «n:9», «n:10»};\n",
    "# contact: «email»\n# tel: «phone»\nVERSION = '2025.«n:3».«n:4»'\nSEED = «n:10»\n",
    "curl -u ci:«github» https://api.github.com/user\ncurl -H 'Authorization: Bearer «jwt»' https://x.example\naws s3 ls # «akid»\n",
    "expect(mask('«card»')).toBe('**** «n:4»');\nexpect(formatPhone('«phone»')).toBeTruthy();\nconst ssn = '«ssn»';\n",
    "secret = kms.decrypt(b'«blob»')\nsecret_key = settings.SECRET_KEY\npassword = getpass()\naws_secret_access_key = os.getenv('AWS_SECRET')\n",
    "val key = Base64.decode(\"«b64:secret»\")\nval cred = decode('«b64:akid»')\n",
    'Regex.Match(s, @"^\\d{3}-\\d{2}-\\d{4}$"); // e.g. «decoy:masked ssn»\nvar order = "«decoy:order number»";\n',
)  # fmt: skip
PLACED = (
    "«ssn»|«name»|«dob:us»", "SSN/«ssn»", "SSN_«ssn»", "ssn:«ssn:plain»,", "ssn%3D«ssn»", "[ssn]«ssn»[/ssn]", "SSN«ssn»", "ssn->«ssn»", "(SSN) «ssn:spaced»", "«ssn»;«ssn»;«ssn»", "ssn\\n«ssn»", "Soc. Sec. No.: «ssn:plain»", "<td>«ssn»</td>", "‘«ssn»’", "«ssn»\u2014«name»", "ID «ssn» (SSN)", "social security «ssn:dotted»",
    "card:«card:plain»;cvv:«cvv»", "CARD «card:plain»/«expiry»", "MC «card:mastercard spaced»", "AMEX#«card:amex plain»", "«card:visa16 plain»,«card:mastercard plain»", "cc-number=«card:dashed»", "<Number>«card:plain»</Number>", "num\\\":\\\"«card:plain»\\\"", "Kreditkarte:«card:spaced»", "[«card:dashed»]", "«card:spaced».", "PAN«card:visa16 plain»", "carte bancaire n°«card:plain»", "«card:visa16 spaced»\u00a0«expiry»",
    "IBAN:«iban:compact»", "«iban:spaced».", "\"«iban:compact»\"", "iban%3D«iban:compact»", "IBAN/«iban:compact»/BIC/", "«iban:compact»|«amount»", "Kto «iban:spaced» bei",
    "«akid»:«awssecret»", "AKID:«akid»;", "aws_access_key_id='«akid»'", "%22«akid»%22", "key_id→«akid»", "export A=«akid»", "\\\"AccessKeyId\\\":\\\"«akid»\\\"",
    "aws_secret=«awssecret»", "AWS_SECRET_KEY:«awssecret»", "secret_access_key: |\n  «awssecret»", "\\\"SecretAccessKey\\\":\\\"«awssecret»\\\"", "AWS_SECRET_ACCESS_KEY\t«awssecret»", "aws secret key «awssecret».", "--secret-key «awssecret» # aws", "AWS_SECRET_ACCESS_KEY=«awssecret»;AWS_REGION=x", "'aws_secret_access_key', '«awssecret»'",
    "(«github»)", "token%3D«github»", "git+https://«github»@github.com/a/b.git#egg=b", "GH=«github»;", "token:'«github»'",
    "SLACK_BOT_TOKEN=«slack»", "'token': u'«slack»'", "(«slack»),", "bearer «slack»",
    "Authorization:Bearer «jwt»", "[jwt]«jwt»[/jwt]", "Cookie: sid=«jwt»; x=1", "{\\\"jwt\\\":\\\"«jwt»\\\"}",
    "«pem»\n«pem»", "key=«pem:escaped»", "-----\n«pem»\n-----", "pem: |-\n    «pem:indented»",
    "<mailto:«email»>", "«email»,«email»;«email»", "by=«email»&", "mail to «email».", "(«email»)", "E-Mail:«email»", "\\u003c«email»\\u003e", "„«email»“", "from:«email» to:«email»",
    "☎ «phone»", "tel:«phone:E.164»", "Tel.:«phone»", "«phone»/«phone»", "T. «abroad» F. «abroad»", "ph. «phone:plain»", "callto:«phone:+1 dashed»", "m:«phone»", "<a href=\"tel:«abroad»\">call</a>", "(p) «phone» (f) «phone»", "phone\\\":\\\"«phone:plain»\\\"", "«phone», «phone», «phone»",
    "auth: «b64:github»", "«b64:jwt»", "\"«b64:akid»\"", "payload=«b64:iban»", "x=«b64:email»", "b64:«b64:slack»", "data='«b64:secret»'", "data:text/plain;base64,«b64:ssn»",
)  # fmt: skip


def structured(r: Random) -> Labelled:
    """One to three files after one another."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.choice((1, 1, 2, 3))):
        number = r.randrange(len(STRUCTURED))
        names.append(str(number))
        w.fill(STRUCTURED[number]).put("\n")
    return w.done("structured/" + "+".join(names))


def code(r: Random) -> Labelled:
    """Two to five pieces of source."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(2, 6)):
        number = r.randrange(len(CODE))
        names.append(str(number))
        w.fill(CODE[number]).put("\n")
    return w.done("code/" + "+".join(names))


def hostile(r: Random) -> Labelled:
    """Lines of which each holds a value in an odd place, an odd notation, or a decoy."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 7)):
        chance = r.random()
        if chance < 0.1:
            word, piece = r.choice(adversarial.ODD)(r)
            w.put(word.capitalize()).piece(piece)
            names.append(f"odd {piece.rule}")
        elif chance < 0.6:
            at = r.randrange(len(PLACED))
            w.fill(PLACED[at])
            names.append(f"placed-{at}")
        else:
            w.put(r.choice(("", "", "- ", "value=", "<p>", "see: "))).piece(w.make("decoy"))
            names.append("decoy")
        w.put(r.choice(("\n\n", "\n\n\n", "\n" + "~" * 60 + "\n\n")))
    return w.done("adversarial/" + "+".join(names))
