"""JSON, JSON lines, XML, YAML, TOML, ini, .env, Terraform, Kubernetes, SQL, HTML. Development family."""

# ruff: noqa: E501
from __future__ import annotations

import base64
from random import Random

from benchmarks.detection import structured_more
from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Piece, Status, Writer

DOCUMENTS: dict[str, str] = {
    "json person": """{
  "id": «n:7», "guid": "«uuid»",
  "name": "«name:first»", "ssn": "«ssn»",
  "contact": {"email": "«email»", "phone": "«anyphone»", "fax": "«phone:dashed»"},
  "payment": {"cardNumber": "«card:plain»", "expiry": "«expiry»", "amount": 1«n:4».«n:2»},
  "account": {"iban": "«iban:compact»", "bic": "«bic»"},
  "createdAt": «pat:17###########», "version": "«pat:1.#.##»", "checksum": "«hex:40»"
}""",
    "json minified": '{"user":{"socialSecurityNumber":"«ssn:plain»","mobile":"«phone:plain»","mail":"«email»"},"order":{"id":"«n:16»","card_no":"«card:spaced»","hash":"«hex:64»"}}',
    "json number": '{"ssn": «pat:^##»4512345, "pan": «card:visa16 plain», "ts": «pat:17###########», "seq": «n:1»}'.replace("«pat:^##»4512345", "«ssn:plain»"),
    "jsonl": '{"e":"«email»","p":"«phone:E.164»","i":"«ip»"}\n{"e":"«email»","p":"«abroad:DE»","i":"«ip»"}\n{"e":"«email»","p":"«phone:E.164»","i":"«ip»"}\n',
    "json aws": '{\n  "AccessKey": {\n    "UserName": "deploy",\n    "AccessKeyId": "«akid»",\n    "Status": "Active",\n    "SecretAccessKey": "«awssecret»",\n    "CreateDate": "«day»T«time»Z"\n  }\n}',
    "json sts": '{"Credentials": {"AccessKeyId": "«akid»", "SecretAccessKey": "«awssecret»", "SessionToken": "«awssession»", "Expiration": "«day»T«time»Z"}}',
    "gcp": '{\n  "type": "service_account",\n  "project_id": "demo-«n:5»",\n  "private_key_id": "«hex:40»",\n  "private_key": "«pem:escaped»\\n",\n  "client_email": "«email»",\n  "client_id": "«n:21»",\n  "token_uri": "https://oauth2.googleapis.com/token"\n}',
    "json api log": '{"headers":{"authorization":"Bearer «jwt»","x-api-key":"«apikey:alnum»","etag":"\\"«hex:32»\\"","content-length":"«n:10»"},"status":200}',
    "openapi": '{"example": {"phone": "«phone:fiction»", "uuid": "«uuid»", "minimum": 1000000000, "maximum": 9999999999, "pattern": "^\\\\d{3}-\\\\d{2}-\\\\d{4}$"}}',
    "xml person": '<?xml version="1.0" encoding="UTF-8"?>\n<customer id="«n:9»">\n  <SSN>«ssn»</SSN>\n  <phoneNumber type="home">«phone:parens»</phoneNumber>\n  <email>«email»</email>\n  <CreditCard network="visa"><Number>«card:plain»</Number><Exp>«expiry»</Exp></CreditCard>\n  <IBAN>«iban:compact»</IBAN>\n  <guid>«uuid»</guid>\n</customer>\n',
    "xml attributes": '<user ssn="«ssn:plain»" tel="«phone:plain»" mail="«email»" hash="«hex:40»" ref="«n:16»"/>\n<card pan="«card:plain»" auth="«n:6»"/>',
    "soap": '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ns:Verify><ns:TaxPayerSSN>«ssn:plain»</ns:TaxPayerSSN><ns:Phone>«abroad»</ns:Phone></ns:Verify></soap:Body></soap:Envelope>',
    "pain.001": '<CdtTrfTxInf><Amt><InstdAmt Ccy="EUR">«n:4».«n:2»</InstdAmt></Amt><CdtrAgt><FinInstnId><BIC>«bic»</BIC></FinInstnId></CdtrAgt><CdtrAcct><Id><IBAN>«iban:compact»</IBAN></Id></CdtrAcct><RmtInf><Ustrd>RF «n:12»</Ustrd></RmtInf></CdtTrfTxInf>',
    "yaml": "customer:\n  name: «name:first»\n  ssn: «ssn»\n  phones:\n    - «anyphone»\n    - '«phone:dashed»'\n  email: «email»\n  card: \"«card:dashed»\"\n  build: «decoy:sha1»\n  since: «day»\n",
    "yaml secrets": "aws:\n  access_key_id: «akid»\n  secret_access_key: «awssecret»\ngithub_token: «github»\nslack:\n  bot_token: «slack»\n  webhook: «webhook»\nstripe:\n  secret: «token:stripe.key»\ndb:\n  url: «db»\n  password: «password:plain»\n",
    "yaml pem": "tls:\n    key: |\n        «pem:indented»\n    cert_sha256: «hex:64»\n",
    "toml": '[default]\naws_access_key_id = "«akid»"\naws_secret_access_key = "«awssecret»"\n\n[owner]\nemail = "«email»"\nphone = "«phone:+1 spaced»"\n',
    "ini": "[default]\naws_access_key_id = «akid»\naws_secret_access_key = «awssecret»\nregion = eu-west-1\n\n[prod]\naws_access_key_id=«akid»\naws_secret_access_key=«awssecret»\naws_session_token=«awssession»\n",
    "env": "NODE_ENV=production\nAWS_ACCESS_KEY_ID=«akid»\nAWS_SECRET_ACCESS_KEY=«awssecret»\nDATABASE_URL=«db»\nGITHUB_TOKEN=«github»\nSLACK_BOT_TOKEN=«slack»\nSTRIPE_SECRET_KEY=«token:stripe.key»\nSENDGRID_API_KEY=«token:sendgrid.key»\nOPENAI_API_KEY=«token:openai.key»\nJWT=«jwt»\nADMIN_EMAIL=«email»\nDB_PASSWORD=«password:plain»\nBUILD_SHA=«decoy:sha1»\n",
    "env quoted": 'export AWS_ACCESS_KEY_ID="«akid»"\nexport AWS_SECRET_ACCESS_KEY="«awssecret»"\nexport GH_TOKEN=\'«github»\'\nexport API_KEY="${API_KEY:-changeme}"\nexport SUPPORT_PHONE="«phone:1 dashed»"\n',
    "terraform": 'provider "aws" {\n  region     = "us-east-1"\n  access_key = "«akid»"\n  secret_key = "«awssecret»"\n}\n\nresource "aws_db_instance" "main" {\n  username = "app"\n  password = "«password:plain»"\n  snapshot_identifier = "rds:main-2024-06-12-04-10"\n}\n\nvariable "token" { default = "" }\n',
    "k8s plain": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n  uid: «uuid»\nstringData:\n  GITHUB_TOKEN: «github»\n  aws-secret-access-key: «awssecret»\n  aws-access-key-id: «akid»\n",
    "compose": "services:\n  web:\n    image: registry.example/app@sha256:«hex:64»\n    environment:\n      - AWS_ACCESS_KEY_ID=«akid»\n      - AWS_SECRET_ACCESS_KEY=«awssecret»\n      - DATABASE_URL=«db»\n    ports: ['8080:80']\n",
    "sql": "CREATE TABLE customers (id int, ssn char(11), phone text, email text, card text);\nINSERT INTO customers (id, ssn, phone, email, card) VALUES\n(«n:5», '«ssn»', '«phone:dashed»', '«email»', '«card:plain»'),\n(«n:5», '«ssn»', '«phone:parens»', '«email»', '«card:plain»');\n",
    "sql copy": "COPY public.people (id, email, phone, iban, created_at, token) FROM stdin;\n«n:6»\t«email»\t«phone:E.164»\t«iban:compact»\t«day» «time».«n:6»\t«uuid»\n«n:6»\t«email»\t«abroad:FR»\t«iban:compact»\t«day» «time».«n:6»\t«uuid»\n\\.\n",
    "html form": '<form><label>SSN</label><input name="ssn" value="«ssn»"/><label>Phone</label><input type="tel" name="phone" value="«phone:parens»"/><input name="card" value="«card:spaced»"/><a href="mailto:«email»">mail</a><a href="tel:«phone:E.164»">call</a><input type="hidden" name="csrf" value="«hex:64»"/></form>',
    "html table": "<table><tr><th>Name</th><th>SSN</th><th>Phone</th></tr><tr><td>«name»</td><td>«ssn»</td><td>«phone:dashed»</td></tr><tr><td>«name»</td><td>«ssn»</td><td>«phone:dashed»</td></tr></table>",
    "vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:«name»\nTEL;TYPE=CELL:«anyphone»\nTEL;TYPE=WORK,VOICE:«phone:parens»\nEMAIL;TYPE=INTERNET:«email»\nREV:«pat:2024061#T######Z»\nEND:VCARD\n",
    "properties": "spring.datasource.password=«password:plain»\ncloud.aws.credentials.accessKey=«akid»\ncloud.aws.credentials.secretKey=«awssecret»\nsupport.email=«email»\nserver.port=8443\nbuild.time=«decoy:epoch milliseconds»\n",
    "form encoded": "grant_type=password&username=«email»&card=«card:plain»&phone=«phone:plain»&nonce=«hex:32»&ts=«pat:17########»",
    "ldif": "dn: uid=jdoe,ou=people,dc=example,dc=com\nmail: «email»\ntelephoneNumber: «abroad»\nmobile: «phone:+1 dashed»\nemployeeNumber: «n:9»\nentryUUID: «uuid»\n",
}  # fmt: skip


def k8s_base64(r: Random) -> Labelled:
    """A Kubernetes secret: values in base 64. The finding may name the encoded text or nothing: graded by nature."""
    w = Writer(r, FIELDS)
    w.put("apiVersion: v1\nkind: Secret\ndata:\n")
    for key, field in (("github-token", "github"), ("aws_secret_access_key", "awssecret"), ("password", "password")):
        inner = w.make(field)
        encoded = base64.b64encode(inner.text.encode()).decode()
        piece = Piece(encoded, inner.rule, "in base 64", Status.GRADED, loose=True)
        w.put(f"  {key}: ").piece(piece).put("\n")
    return w.done("structured/k8s base64")


def text(r: Random) -> Labelled:
    """One document."""
    every = DOCUMENTS | structured_more.DOCUMENTS
    name = r.choice([*every, "k8s base64"])
    if name == "k8s base64":
        return k8s_base64(r)
    return Writer(r, FIELDS).fill(every[name]).done(f"structured/{name}")
