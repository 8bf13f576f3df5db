"""Held out: structured data. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

DOCUMENTS: dict[str, str] = {
    "employee": '{"employees":[{"fullName":"«name»","taxId":{"type":"SSN","value":"«ssn:marked»"},"homePhone":"«phone:marked»","emailAddress":"«email»","badge":«n:9»},{"fullName":"«name»","taxId":{"type":"SSN","value":"«ssn:marked»"},"homePhone":"«phone:marked»","emailAddress":"«email»","badge":«n:9»}]}',
    "order": '{\n\t"orderId": "«n:3»-«n:7»-«n:7»",\n\t"placed": «pat:17###########»,\n\t"payment_method": {"type": "card", "number": "«card»", "exp_month": 4, "exp_year": 2027, "cvc": "«cvv»"},\n\t"shipping": {"recipient_phone": "«phone:marked»", "notify": "«email»"},\n\t"total_cents": «n:8»\n}\n',
    "nested strings": '{"level":"info","msg":"payload {\\"ssn\\":\\"«ssn»\\",\\"phone\\":\\"«phone:dashed»\\"}","seq":«n:12»}',
    "mongo": '{"_id": {"$oid": "«hex:24»"}, "mobile": {"$numberLong": "«phone:plain»"}, "createdAt": {"$date": {"$numberLong": "«pat:17###########»"}}, "iban": "«iban:compact»", "mail": "«email»"}',
    "jsonl accounts": '{"acct":"«iban:compact»","cur":"EUR","seq":«n:10»}\n{"acct":"«iban:compact»","cur":"EUR","seq":«n:10»}\n{"acct":"«iban:compact»","cur":"SEK","seq":«n:10»}\n',
    "iam": '{"AccessKey":{"AccessKeyId":"«akid»","SecretAccessKey":"«awssecret»","UserName":"ci"},"ResponseMetadata":{"RequestId":"«uuid»","HTTPHeaders":{"x-amzn-requestid":"«uuid»","content-length":"«n:3»"}}}',
    "process": '{"AccessKeyId":"«akid»","SecretAccessKey":"«awssecret»","Version":1,"Expiration":null}',
    "credentials yaml": 'default: &default\n  access_key: «akid»\n  secret_key: «awssecret»\n  bucket: media\nproduction:\n  <<: *default\n  aws_secret_access_key: "«awssecret»"\n  stripe_key: «token:stripe.key»\n',
    "helm": 'global:\n  slack:\n    token: "«slack»"\n    hook: «webhook»\n  jwt: >-\n    «jwt»\n  image: {tag: 1.2.3, digest: "sha256:«hex:64»"}\n  github:\n    pat: «github»\n',
    "contacts xml": '<contacts><contact type="person"><phone kind="mobile">«abroad»</phone><phone>«phone»</phone><mail>«email»</mail><ssn>«ssn:marked»</ssn><ref>«n:9»</ref></contact></contacts>',
    "cybersource": "<ccAuthRequest><card><accountNumber>«card»</accountNumber><cvIndicator>1</cvIndicator></card><merchantReferenceCode>«n:16»</merchantReferenceCode><billTo><phoneNumber>«phone:marked»</phoneNumber><email>«email»</email></billTo></ccAuthRequest>",
    "camt": '<Ntry><Amt Ccy="EUR">«n:4».«n:2»</Amt><NtryRef>«n:9»</NtryRef><RltdPties><DbtrAcct><Id><IBAN>«iban:compact»</IBAN></Id></DbtrAcct></RltdPties><RltdAgts><DbtrAgt><FinInstnId><BICFI>«bic»</BICFI></FinInstnId></DbtrAgt></RltdAgts></Ntry>',
    "toml": '[profile]\nphone = "«abroad»"\nmail = "«email»"\nsocial_security = "«ssn»"\nrevision = "«hex:40»"\n\n[s3]\nkey_id = "«akid»"\naws_secret = \'«awssecret»\'\n',
    "ini": "; printed by the old tool\n[aws]\nACCESS_KEY: «akid»\nSECRET_ACCESS_KEY: «awssecret»\n[smtp]\nuser = «email»\npassword = «password:plain»\n[jira]\nissue = ABC-«n:4»\n",
    "env": "export GITHUB_PAT='«github»'\nSLACK_API_TOKEN=\"«slack»\"\nAWS_ACCESS_KEY_ID=\"«akid»\" # deploy user\nAWS_SECRET_ACCESS_KEY=\"«awssecret»\" # deploy user\nPGURL=«db»\nSESSION_JWT=«jwt»\nGIT_SHA=«hex:40»\nTWILIO_NUMBER=«phone:E.164»\n",
    "tfvars": 'aws_access_key = "«akid»"\naws_secret_key = "«awssecret»"\nalert_email    = "«email»"\noncall_phone   = "«phone»"\nami            = "ami-«hex:17»"\ndb_password    = "«password:plain»"\n',
    "tfstate": '{"type":"aws_iam_access_key","instances":[{"attributes":{"id":"«akid»","secret":"«awssecret»","ses_smtp_password_v4":null,"create_date":"«day»T«time»Z"}}],"serial":«n:3»,"lineage":"«uuid»"}',
    "pem json": '{"kid": "«hex:16»", "privateKey": "«pem:escaped»"}\n',
    "pem yaml": "- path: /etc/ssl/key\n  content: |\n        «pem:indented»\n  mode: '0600'\n",
    "sql": "insert into crm.person values («n:6», '«name»', '«ssn»', '«phone:dashed»', '«email»', '«day»', '«uuid»', «n:10»);\nupdate cards set pan = '«card»', token = '«apikey:hex»' where id = «n:9»;\n",
    "mysqldump": "INSERT INTO `users` VALUES («n:4»,'«email»','$2y$10$«alnum:53»','«phone:+1 dashed»',«pat:17########»),(«n:4»,'«email»','$2y$10$«alnum:53»','«phone:parens»',«pat:17########»);\n",
    "html": '<dl><dt>Phone</dt><dd>«phone»</dd><dt>Credit card</dt><dd>«card»</dd><dt>Social Security number</dt><dd>«ssn:marked»</dd><dt>IBAN</dt><dd>«iban:spaced»</dd></dl><script src="/a.js?v=«n:10»" integrity="sha384-«alnum:64»"></script>',
    "query": "https://shop.example.com/checkout?email=«email»&phone=«phone:plain»&cc=«card:plain»&sid=«hex:32»&_=«pat:17###########»",
    "har": '{"name":"Authorization","value":"Bearer «jwt»"},{"name":"X-Trace","value":"«hex:32»-«hex:16»-01"},{"name":"Cookie","value":"_ga=GA1.2.«n:9».«n:10»; sid=«alnum:32»"}',
    "ics": "BEGIN:VEVENT\nUID:«n:8»T«n:6»Z-«n:9»@cal\nORGANIZER;CN=«name»:mailto:«email»\nDESCRIPTION:Dial «phone:+1 dashed»\\, conference id «n:3» «n:3» «n:3»#\nEND:VEVENT\n",
    "geojson": '{"type":"Point","coordinates":[-«n:2».«n:10»,«n:2».«n:10»],"bbox":[«n:9»,«n:9»,«n:10»,«n:10»],"id":"«n:16»"}',
}  # fmt: skip


def text(r: Random) -> Labelled:
    """One document."""
    name = r.choice(list(DOCUMENTS))
    return Writer(r, FIELDS).fill(DOCUMENTS[name]).done(f"structured/{name}")
