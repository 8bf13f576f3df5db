"""Held out: source and configuration. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

SNIPPETS: dict[str, str] = {
    "django": 'AWS_S3_ACCESS_KEY_ID = "«akid»"\nAWS_S3_SECRET_ACCESS_KEY = "«awssecret»"\nDEFAULT_FROM_EMAIL = "«email»"\n',
    "flask": "app.config['AWS_SECRET'] = '«awssecret»'\napp.config['AWS_KEY'] = '«akid»'\napp.config['MAX'] = «n:10»\n",
    "celery sqs": "broker_url = 'sqs://«akid»:«awssecret:url»@'\n",
    "boto2": "conn = S3Connection('«akid»', '«awssecret»')\n",
    "boto2 keywords": "conn = boto.connect_s3(aws_access_key_id='«akid»',\n                       aws_secret_access_key='«awssecret»')\n",
    "dynamo": 'dynamodb = boto3.resource("dynamodb", "us-east-1",\n    aws_access_key_id="«akid»", aws_secret_access_key="«awssecret»", endpoint_url="http://localhost:8000")\n',
    "yaml rails": "amazon:\n  service: S3\n  access_key_id: «akid»\n  secret_access_key: «awssecret»\n  region: eu-west-1\n",
    "fog": "fog_credentials: {\n  :provider => 'AWS',\n  :aws_access_key_id => '«akid»',\n  :aws_secret_access_key => '«awssecret»'\n}\n",
    "knife": 'knife[:aws_access_key_id] = "«akid»"\nknife[:aws_secret_access_key] = "«awssecret»"\n',
    "node": 'const s3 = new S3Client({ credentials: { accessKeyId: "«akid»", secretAccessKey: "«awssecret»" } });\nconst rev = "«hex:40»";\n',
    "node env": "process.env.AWS_ACCESS_KEY_ID = '«akid»';\nprocess.env.AWS_SECRET_ACCESS_KEY = '«awssecret»';\n",
    "kotlin": 'val creds = AwsBasicCredentials.create("«akid»", "«awssecret»")\n',
    "swift": 'let provider = AWSStaticCredentialsProvider(accessKey: "«akid»", secretKey: "«awssecret»")\n',
    "objc": 'NSString *const kAccessKey = @"«akid»";\nNSString *const kAWSSecretKey = @"«awssecret»";\n',
    "perl": "my $aws_access_key_id     = '«akid»';\nmy $aws_secret_access_key = '«awssecret»';\n",
    "r": 'Sys.setenv("AWS_ACCESS_KEY_ID" = "«akid»", "AWS_SECRET_ACCESS_KEY" = "«awssecret»")\n',
    "lua": 'local opts = { aws_key = "«akid»", aws_secret = "«awssecret»" }\n',
    "powershell": '$env:AWS_ACCESS_KEY_ID="«akid»"\n$env:AWS_SECRET_ACCESS_KEY="«awssecret»"\nSet-AWSCredentials -AccessKey «akid» -SecretKey «awssecret»\n',
    "batch": 'set AWS_ACCESS_KEY_ID=«akid»\r\nset AWS_SECRET_ACCESS_KEY=«awssecret»\r\nsetx SLACK_TOKEN "«slack»"\r\n',
    "fish": "set -x AWS_ACCESS_KEY_ID «akid»\nset -x AWS_SECRET_ACCESS_KEY «awssecret»\n",
    "makefile": 'AWS_ACCESS_KEY_ID ?= «akid»\nAWS_SECRET_ACCESS_KEY := «awssecret»\n\t@curl -s -H "Authorization: token «github»" $(API)\n',
    "travis": 'env:\n  global:\n    - AWS_ACCESS_KEY_ID=«akid»\n    - secure: "«alnum:88»"\n    - GH_TOKEN=«github»\n',
    "actions": "      env:\n        GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n        AWS_SECRET_ACCESS_KEY: «awssecret»\n        AWS_ACCESS_KEY_ID: «akid»\n        SHA: «hex:40»\n",
    "docker run": "docker run -e AWS_ACCESS_KEY_ID=«akid» -e AWS_SECRET_ACCESS_KEY=«awssecret» -p 80:80 app@sha256:«hex:64»\n",
    "hadoop xml": "<property>\n  <name>fs.s3a.access.key</name>\n  <value>«akid»</value>\n</property>\n<property>\n  <name>fs.s3a.secret.key</name>\n  <value>«awssecret»</value>\n</property>\n",
    "redshift": "COPY t FROM 's3://b/k' CREDENTIALS 'aws_access_key_id=«akid»;aws_secret_access_key=«awssecret»' CSV;\n",
    "snowflake": "CREATE STAGE s URL='s3://b' CREDENTIALS=(AWS_KEY_ID='«akid»' AWS_SECRET_KEY='«awssecret»');\n",
    "logstash": 'input { s3 { access_key_id => "«akid»" secret_access_key => "«awssecret»" bucket => "logs" } }\n',
    "vault": "vault write aws/config/root access_key=«akid» secret_key=«awssecret» region=us-east-1\n",
    "comment": "/* temporary credentials of «name», delete after the demo\n * key:    «akid»\n * secret: «awssecret»\n */\n",
    "markdown": "## Setup\n\n| variable | value |\n|---|---|\n| AWS_ACCESS_KEY_ID | `«akid»` |\n| AWS_SECRET_ACCESS_KEY | `«awssecret»` |\n",
    "git remote": '[remote "origin"]\n\turl = https://«name:first»:«github»@github.com/org/repo.git\n\tfetch = +refs/heads/*\n'.replace("«name:first»", "bot"),
    "python github": "g = Github('«github»')\nheaders = {'Authorization': f'token «github»'}\n",
    "slack js": "const { App } = require('@slack/bolt');\nconst app = new App({ token: '«slack»', signingSecret: '«apikey:hex»' });\n",
    "curl slack": "curl -F text=hi -F channel=#x -F token=«slack» https://slack.example/api\n",
    "go pem": "var key = []byte(`«pem»`)\n",
    "java pem": 'String key = "«pem:escaped»\\n";\n',
    "ssh": "$ cat ~/.ssh/id\n«pem»\n$ ssh-keygen -lf id\n256 SHA256:«alnum:43» me@host (ED25519)\n",
    "helm pem": "tls.key: |-\n        «pem:indented»\n",
    "crt and key": "-----BEGIN CERTIFICATE-----\n«pat:MII%%%%%%%%%%%%%%%%%%%%%%%%%%»\n-----END CERTIFICATE-----\n«pem»\n",
    "jwt java": 'String token = "«jwt»";\nassertThat(parser.isSigned(token)).isTrue();\n',
    "jwt http": "GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: bearer «jwt»\nX-Request-Id: «uuid»\n",
    "jwt yaml": "auth:\n  id_token: «jwt»\n  expires: «pat:17########»\n",
    "kubeconfig": "users:\n- name: admin\n  user:\n    token: «jwt»\n    client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t«alnum:60»\n",
    "lookalikes": 'const PLACEHOLDER = "AKIAXXXXXXXXXXXXXXXX";\naws_secret_access_key: "{{ vault_aws_secret }}"\nAWS_SECRET_ACCESS_KEY=$(aws ssm get-parameter --name /prod/aws/secret)\nsecret_access_key = var.secret_access_key_from_vault_module\nGITHUB_TOKEN=ghp_your_token_goes_here\n',
    "digests": 'd41d8cd98f00b204e9800998ecf8427e  empty\n«hex:40»  a.tar.gz\n«hex:64»  b.zip\nintegrity="sha256-«alnum:43»="\naws_lambda_code_sha = "«alnum:43»="\n',
    "test data": 'fixtures = ["4111-1111-1111-1111", "AKIAIOSFODNN7EXAMPLE", "123-45-6789", "user@host", "555-1234"]\n',
    "numbers": "case «n:10»: return «n:9»;\n#define MASK 0x«hex:16»\nuint64_t k = «n:16»ULL;\nfoo(123, 456, 7890);\nassert f(«n:3», «n:2», «n:4») == «n:3» - «n:2» - «n:4»;\n",
    "phones": "tel = '«phone:+1 dashed»'\n<a href=\"tel:«phone:E.164»\">«phone:parens»</a>\nFAX: '«phone:dashed»',\n",
    "css": ".a{background:url(data:image/png;base64,iVBORw0KGgo«alnum:90»)}\n@media (min-width:768px){.b{margin:0 0 1.234567890em}}\n",
}  # fmt: skip


def text(r: Random) -> Labelled:
    """One to five snippets after each other."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 6)):
        name = r.choice(list(SNIPPETS))
        names.append(name)
        w.fill(SNIPPETS[name]).put(r.choice(("", "\n", "\n----\n")))
    return w.done("code/" + "+".join(names))
