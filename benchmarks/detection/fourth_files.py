"""Fourth family: structured files, source lines as sets of leaked credentials have them, and odd places."""

# ruff: noqa: E501, PLR2004, Q003
from __future__ import annotations

from random import Random

from benchmarks.detection.fourth_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

STRUCTURED = (
    '{"id": «n:6», "first_name": "«name:en_GB»", "email": "«email»", "phone": "«phone»", "ssn": "«ssn:any»", "cc": {"number": "«card»", "exp": "«expiry»", "cvv": «cvv»}, "iban": "«iban»", "ip": "«ip»", "created": «n:10»}\n',
    '<employee id="«n:5»">\n  <name>«name»</name>\n  <socialSecurityNumber>«ssn:any»</socialSecurityNumber>\n  <telephone>«phone»</telephone>\n  <mail>«email»</mail>\n</employee>\n',
    '<payment><creditCardNumber>«card»</creditCardNumber><holder>«name»</holder><amount currency="EUR">«n:4»</amount><ref>«n:16»</ref></payment>\n',
    "customer:\n  name: «name»\n  contact:\n    phone: «phone»\n    mobile: '«abroad»'\n    email: «email»\n  billing:\n    card_number: «card»\n    iban: «iban:any»\n  ssn: \"«ssn:any»\"\n",
    "AWS_ACCESS_KEY_ID=«akid»\nAWS_SECRET_ACCESS_KEY=«awssecret»\nDB_PASSWORD=«password:plain»\nSLACK_TOKEN=«slack»\nGITHUB_TOKEN=«github»\nPORT=8«n:3»\n",
    '<configuration>\n  <appSettings>\n    <add key="AWSAccessKey" value="«akid»" />\n    <add key="AWSSecretKey" value="«awssecret»" />\n    <add key="BuildId" value="«hex:40»" />\n  </appSettings>\n</configuration>\n',
    'variable "aws_access_key" {\n  default = "«akid»"\n}\nvariable "aws_secret_key" {\n  default = "«awssecret»"\n}\nlocals {\n  sha = "«hex:40»"\n}\n',
    '{\n  "Credentials": {\n    "AccessKeyId": "«akid»",\n    "SecretAccessKey": "«awssecret»",\n    "SessionToken": "«awssession»",\n    "Expiration": "«when»"\n  }\n}\n',
    "[profile prod]\naws_access_key_id=«akid»\naws_secret_access_key=«awssecret»\nregion=us-west-2\n\n[profile dev]\naws_access_key_id = «akid»\naws_secret_access_key = «awssecret»\n",
    "version: '3'\nservices:\n  web:\n    image: «word»:1.«n:1».«n:1»\n    environment:\n      - AWS_ACCESS_KEY_ID=«akid»\n      - AWS_SECRET_ACCESS_KEY=«awssecret»\n      - DATABASE_URL=«db»\n",
    "spec:\n  containers:\n  - env:\n    - name: AWS_SECRET_ACCESS_KEY\n      value: «awssecret»\n    - name: AWS_ACCESS_KEY_ID\n      value: \"«akid»\"\n    - name: SLACK_BOT_TOKEN\n      value: «slack»\n",
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: «word»\ndata:\n  config: «b64:profile»\n  key: «b64:akid»\n  netrc: «b64:github»\n",
    '{"key": "AWS_SECRET_ACCESS_KEY", "value": "«awssecret»", "masked": false}\n{"key": "AWS_ACCESS_KEY_ID", "value": "«akid»", "masked": false}\n',
    "User name,Password,Access key ID,Secret access key,Console login link\n«user»,,«akid»,«awssecret»,https://«n:12».signin.aws.amazon.com/console\n",
    "«email»:«password:plain»\n«email»:«password:plain»\n«email»:«password:plain»\n",
    "<key>AWSSecretAccessKey</key>\n<string>«awssecret»</string>\n<key>AWSAccessKeyId</key>\n<string>«akid»</string>\n<key>CFBundleVersion</key>\n<string>«n:10»</string>\n",
    'spring:\n  datasource:\n    password: "«password:plain»"\ncloud:\n  aws:\n    credentials:\n      accessKey: «akid»\n      secretKey: «awssecret»\n',
    '{"dependencies": {"«word»": "^«n:1».«n:2».«n:1»", "left": "npm:«decoy:npm version»"}, "resolved": "«decoy:git remote»", "integrity": "«decoy:sha512 integrity»"}\n',
    '{"users": [{"name": "«name»", "phone": «pat:^##^######», "zip": «zip»}, {"name": "«name»", "phone": «pat:^##^######», "zip": «zip»}]}\n'.replace("«pat:^##^######»", "«phone:digits»"),
    '{"type": "FeatureCollection", "bbox": [«n:2».«n:6», «n:2».«n:7», «n:2».«n:6»], "id": «n:10», "t": «n:13», "seq": "«n:16»", "hash": "«hex:40»"}\n',
    "INSERT INTO `customers` VALUES (1,'«name»','«email»','«phone»','«ssn»','«card»','«when:%Y-%m-%d %H:%M:%S»'),(2,'«name»','«email»','«phone»','«ssn»','«card»','«when:%Y-%m-%d %H:%M:%S»');\n",
    "UPDATE users SET phone = '«phone»', email='«email»', cc_number='«card»' WHERE id = «n:9» AND token <> '«jwt»';\n",
    '- uses: actions/checkout@v4\n- «decoy:action»\n- run: |\n    curl -H "Authorization: token «github»" https://api.github.com\n    echo «akid» | base64\n',
    "/profile?email=«email»&ssn=«ssn»&phone=«phone:digits»&cc=«card»&sid=«hex:32»\n",
)  # fmt: skip
CODE = """
AWS_SECRET_ACCESS_KEY=«awssecret»
aws_secret_access_key = "«awssecret»"
AWS_SECRET_KEY = '«awssecret»'
    secretAccessKey: "«awssecret»",
    "awsSecretKey" : "«awssecret»",
self.aws_secret_access_key = kwargs.get("secret", "«awssecret»")
s3 = boto3.client('s3', aws_access_key_id='«akid»', aws_secret_access_key='«awssecret»', region_name='us-east-1')
conn = S3Connection('«akid»', '«awssecret»')
new BasicAWSCredentials("«akid»", "«awssecret»")
val credentials = AWSCredentials("«akid»", "«awssecret»")
AWS.config.update({accessKeyId: '«akid»', secretAccessKey: '«awssecret»'})
Aws::Credentials.new('«akid»', '«awssecret»')
sc.hadoopConfiguration.set("fs.s3a.secret.key", "«awssecret»")
spark._jsc.hadoopConfiguration().set("fs.s3n.awsSecretAccessKey", "«awssecret»")
hadoop distcp -Dfs.s3a.access.key=«akid» -Dfs.s3a.secret.key=«awssecret» s3a://«word»/ /tmp
s3n://«akid»:«awssecret:url»@«word»-bucket/data
aws configure set aws_secret_access_key «awssecret»
$env:AWS_SECRET_ACCESS_KEY = "«awssecret»"
setx AWS_SECRET_ACCESS_KEY «awssecret»
ENV AWS_SECRET_ACCESS_KEY «awssecret»
set -gx AWS_SECRET_ACCESS_KEY «awssecret»
#define AWS_SECRET_KEY "«awssecret»"
public static final String SECRET_KEY = "«awssecret»"; // aws
private string awsSecretAccessKey = @"«awssecret»";
let secret = "«awssecret»"; // AWS secret access key
static let awsSecret = "«awssecret»"
COPY t FROM 's3://«word»/x' CREDENTIALS 'aws_access_key_id=«akid»;aws_secret_access_key=«awssecret»';
docker run -e AWS_ACCESS_KEY_ID=«akid» -e AWS_SECRET_ACCESS_KEY=«awssecret» «word»
- secure: «b64:secret»
travis_aws = {"key": "«akid»", "secret": "«awssecret»"}
creds = ("«akid»",⏎         "«awssecret»")
ACCESS_KEY = "«akid»"
rclone config create x s3 access_key_id «akid» secret_access_key «awssecret»
s3cmd --access_key=«akid» --secret_key=«awssecret» ls
github_token = "«github»"
headers = {"Authorization": "token «github»"}
git clone https://oauth2:«github»@github.com/«word»/«word»
const SLACK = "«slack»";
slack.WebClient(token="«slack»")
url = "«webhook»"
token = "«jwt»"
curl -H "Authorization: Bearer «jwt»" «url»
engine = create_engine("«db»")
ADMIN_EMAIL = "«email»"
# Author: «name» <«email»>
 * @author «name» («email»)
Copyright (c) 2024 «name» <«email»>
maintainer="«email»"
user = User(name="«name»", phone="«phone»", ssn="«ssn»")
card = CreditCard("«card»", "«expiry»", "«cvv»")
assert parse_phone("«abroad»").country
customer.card_number = «card»
SUPPORT_PHONE = '«phone»'
ssn_list = ["«ssn»", "«ssn»"]
«pem»
revision = '«hex:12»'
COMMIT = "«hex:40»"
api_version = "2024-«n:2»-01.«n:9»"
SECRET_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]
aws_secret_access_key = config.get('aws', 'secret')
«decoy:key name»
«decoy:sha1 in assignment»
«decoy:base64 of forty»
path = "«decoy:path of forty»"
assert digest == "«decoy:sha512 integrity»"
AWS_ACCESS_KEY_ID = "«decoy:placeholder key»"
PRIME = «n:16»
TABLE = [«n:10», «n:10», «n:9», 0x«hex:16», 1.«n:16»]
timeout = «n:10»
@pytest.mark.parametrize("x", [«n:9», «n:3»])
background: url(«decoy:retina»)
"«word»": "«decoy:npm version»",
// «sentence»
# «sentence»
def «word»(self, «word»=None):
    return self.«word»(«word»)
if («word» == «n:4») { «word»(); }
import «word»
""".strip().splitlines()
PLACED = (
    "SSN:«ssn:plain»", "ssn=«ssn:plain»&", "Social Security#: «ssn:spaced»", "SS# «ssn»", "«ssn»\t«name»", "[«ssn»]", "social-security: «ssn:plain».", "his SSN was recorded by «name» as «ssn:plain»", "tin/ssn «ssn»", "SSN (9 digits, no dashes): «ssn:plain»", "SSN\n\n«ssn:plain»", "ssn is: «ssn:spaced»", "«ssn»,«ssn»", "{\\\"ssn\\\":\\\"«ssn:plain»\\\"}", "SSN……«ssn»", "SSN\u00a0«ssn»", "social\u2011security «ssn»",
    "card no: «card»", "CC:«card»", "pan=«card»", "«card:visa16»/«expiry»/«cvv»", "Visa ending in «n:4»: «card:visa»", "card\n«card»", "cardnumber%3D«card»", "card#«card:grouped»", "credit card (Maestro): «card:maestro»", "debit «card:mastercard»", "\"«card:amex»\"", "mc«card:mastercard»", "cc_num «card:visa13»", "cc_num «card:visa19»", "CARD\u00a0NUMBER\u00a0«card:grouped»", "«card:grouped»;«card:grouped»", "acct/card «card:discover»",
    "p:«phone»", "tel «phone»", "Ph# «phone»", "phone_number='«phone»'", "«phone:core»,«phone:core»", "<tel>«phone»</tel>", "cell=«phone»", "mobile→«phone»", "☏«phone:core»", "call or text: «phone»", "«name» @ «phone»", "t: «abroad» f: «abroad»", "wa.me/«phone:e164»", "whatsapp «abroad»", "tel:«phone:e164»", "[phone](tel:«phone:core»)", "phones: [«phone:digits», «phone:digits»]",
    "IBAN«iban»", "IBAN nr.: «iban:spaced»", "acct=«iban»;", "(«iban:spaced»)", "«iban»,«bic»", "iban:'«iban»'", "BIC/IBAN: «bic»/«iban»",
    "«email»;", "mailto:«email»?subject=x", "\"«name»\" <«email»>", "user:«email»", "«email»|«email»", "email=«email»&x", "(«email»)", "contact«pat:!»«email»".replace("«pat:!»", ": "), "<«email»>,", "e:«email»",
    "AWS key «akid»", "key=«akid»&", "AWSAccessKeyId=«akid»&Signature=«alnum:27»%3D&Expires=«n:10»", "[«akid»]", "aws:«akid»:«awssecret»", "«akid»\n«awssecret»", "{\\\"secretAccessKey\\\":\\\"«awssecret»\\\"}", "AWS_SECRET_ACCESS_KEY: >-\n  «awssecret»", "aws_secret_access_key=\"«awssecret»\"\\", "export AWS_SECRET_ACCESS_KEY='«awssecret»' #prod", "AWSSecretKey=«awssecret»", "secret key (aws): «awssecret»", "%7B%22SecretAccessKey%22%3A%22«awssecret:url»%22%7D",
    "token «github»,", "«github»", "GITHUB_TOKEN=«github»\\n", "x-access-token:«github»@", "SLACK=«slack»", "\"token\":\"«slack»\"", "jwt=«jwt»;", "id_token=«jwt»&state=1", "«jwt»", "«pem»", "\"key\": \"«pem:escaped»\"",
    "blob «b64:akid»", "config.json: \"«b64:profile»\"", "Authorization: Basic «b64:basic»", "c2VjcmV0: «b64:github»",
)  # fmt: skip


def structured(r: Random) -> Labelled:
    """One or two files."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.choice((1, 1, 2))):
        number = r.randrange(len(STRUCTURED))
        names.append(str(number))
        w.fill(STRUCTURED[number]).put("\n")
    return w.done("structured/" + "+".join(names))


def code(r: Random) -> Labelled:
    """Five to twenty lines of source, in no order."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(5, 20)):
        number = r.randrange(len(CODE))
        names.append(str(number))
        w.put(r.choice(("", "", "    ", "\t"))).fill(CODE[number].replace("⏎", "\n")).put("\n")
    return w.done("code/" + "+".join(names))


def hostile(r: Random) -> Labelled:
    """A few values in odd places, and decoys of every kind."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 6)):
        if r.random() < 0.6:
            at = r.randrange(len(PLACED))
            w.fill(PLACED[at])
            names.append(f"placed-{at}")
        else:
            w.piece(w.make("decoy"))
            names.append("decoy")
        w.put(r.choice(("\n\n", "\n\n---\n\n", "\n" + "=" * 40 + "\n\n\n")))
    return w.done("adversarial/" + "+".join(names))
