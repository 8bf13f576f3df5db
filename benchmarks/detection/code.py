"""Source and configuration with credentials and their look-alikes. Development family."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

SNIPPETS: dict[str, str] = {
    "python client": "import boto3\n\ns3 = boto3.client(\n    's3',\n    aws_access_key_id='«akid»',\n    aws_secret_access_key='«awssecret»',\n)\n",
    "python constants": 'AWS_KEY = "«akid»"\nAWS_SECRET = "«awssecret»"\nBUCKET = "reports"\nETAG = "«hex:32»"\n',
    "python positional": 'session = Session("«akid»", "«awssecret»", region_name="us-east-1")\n',
    "python dict": 'CONFIG = {"github": {"token": "«github»"}, "slack": {"token": "«slack»"}, "timeout": 30}\n',
    "python comment": "# old key, remove: «akid» «awssecret»\n# TODO(«name:first»): ask «email»\n",
    "python env": 'token = os.environ["GITHUB_TOKEN"]\npassword = getpass.getpass()\nsecret = config.get("aws", "secret_access_key")\naws_secret_access_key = self._load_secret_from_vault(name)\n',
    "python pem": 'KEY = """«pem»"""\n',
    "python pem joined": 'KEY = "«pem:escaped»\\n"\n',
    "java": 'private static final String ACCESS_KEY = "«akid»";\nprivate static final String SECRET_KEY = "«awssecret»"; // aws\nBasicAWSCredentials c = new BasicAWSCredentials(ACCESS_KEY, SECRET_KEY);\nprivate static final long serialVersionUID = -«n:19»L;\n',
    "java basic": 'AWSCredentials credentials = new BasicAWSCredentials("«akid»", "«awssecret»");\n',
    "go": 'const (\n\tawsAccessKeyID     = "«akid»"\n\tawsSecretAccessKey = "«awssecret»"\n)\nvar etag = "«hex:40»"\n',
    "go creds": 'creds := credentials.NewStaticCredentials("«akid»", "«awssecret»", "")\n',
    "js": "AWS.config.update({ accessKeyId: '«akid»', secretAccessKey: '«awssecret»', region: 'us-west-2' });\n",
    "js fetch": "fetch(url, { headers: { Authorization: `Bearer «jwt»` } });\nconst bot = new WebClient('«slack»');\n",
    "ts": 'export const environment = { apiKey: "«token:google.api_key»", production: true, stripe: "«token:stripe.key»" };\n',
    "ruby": "Aws.config.update(credentials: Aws::Credentials.new('«akid»', '«awssecret»'))\nclient = Octokit::Client.new(access_token: '«github»')\n",
    "php": "<?php\ndefine('AWS_ACCESS_KEY_ID', '«akid»');\ndefine('AWS_SECRET_ACCESS_KEY', '«awssecret»');\n$db_password = '«password:plain»';\n",
    "wordpress": "define( 'DBI_AWS_ACCESS_KEY_ID', '«akid»' );\ndefine( 'DBI_AWS_SECRET_ACCESS_KEY', '«awssecret»' );\n",
    "csharp": 'var credentials = new BasicAWSCredentials("«akid»", "«awssecret»");\nvar guid = new Guid("«uuid»");\n',
    "csharp appsettings": '<add key="AWSAccessKey" value="«akid»"/>\n<add key="AWSSecretKey" value="«awssecret»"/>\n<add key="PublicKeyToken" value="«hex:16»"/>\n',
    "scala": 'val accessKey = "«akid»"\nval secretKey = "«awssecret»"\nsc.hadoopConfiguration.set("fs.s3a.secret.key", "«awssecret»")\n',
    "spark": "spark.hadoop.fs.s3a.access.key «akid»\nspark.hadoop.fs.s3a.secret.key «awssecret»\n",
    "s3 url": 'df = spark.read.csv("s3n://«akid»:«awssecret:url»@bucket/path")\n',
    "rust": 'let secret = "«awssecret»"; // AWS_SECRET_ACCESS_KEY\nlet key = "«akid»";\nlet rev = "«hex:40»";\n',
    "shell": 'export AWS_ACCESS_KEY_ID=«akid»\nexport AWS_SECRET_ACCESS_KEY=«awssecret»\ngit clone https://x-access-token:«github»@github.com/acme/app.git\ncurl -H "Authorization: Bearer «jwt»" https://api.example.com\n',
    "shell oneline": "AWS_ACCESS_KEY_ID=«akid» AWS_SECRET_ACCESS_KEY=«awssecret» aws s3 ls\n",
    "shell args": "aws configure set aws_secret_access_key «awssecret»\naws configure set aws_access_key_id «akid»\ns3cmd --access_key=«akid» --secret_key=«awssecret» ls\n",
    "dockerfile": "FROM python:3.11@sha256:«hex:64»\nENV AWS_ACCESS_KEY_ID «akid»\nENV AWS_SECRET_ACCESS_KEY «awssecret»\nARG NPM_TOKEN=«token:npm.token»\n",
    "npmrc": "//registry.example/:_authToken=«token:npm.token»\nemail=«email»\n",
    "pypirc": "[pypi]\nusername = __token__\npassword = «token:pypi.token»\n",
    "gitlab ci": 'variables:\n  GL: "«token:gitlab.token»"\n  AWS_SECRET_ACCESS_KEY: "«awssecret»"\n  AWS_DEFAULT_REGION: eu-central-1\n',
    "boto": "[Credentials]\naws_access_key_id = «akid»\naws_secret_access_key = «awssecret»\n[Boto]\nhttps_validate_certificates = True\n",
    "csv download": "User name,Access key ID,Secret access key\ndeploy,«akid»,«awssecret»\n",
    "csv two": "Access key ID,Secret access key\n«akid»,«awssecret»\n",
    "rclone": "[remote]\ntype = s3\nprovider = AWS\naccess_key_id = «akid»\nsecret_access_key = «awssecret»\n",
    "ansible": "- ec2:\n    aws_access_key: «akid»\n    aws_secret_key: «awssecret»\n    image: ami-«hex:17»\n",
    "pem file": "«pem»\n",
    "pem crlf": "«pem:crlf»\n",
    "pem encrypted": "«pem:encrypted»\n",
    "pem bag": "Bag Attributes\n    localKeyID: 01 00 00 00\nKey Attributes: <No Attributes>\n«pem»\n-----BEGIN CERTIFICATE-----\n«pat:MIIC&&&&&&&&&&&&&&&&&&&&&&&&»\n-----END CERTIFICATE-----\n",
    "pem pbes2": "«pem:pbes2»\n",
    "pem java": 'String KEY = "«pem:quoted»\\n";\n',
    "pem php": "$key = '«pem:php»\\n';\n",
    "pem diff": "@@ -0,0 +1,27 @@\n+«pem:diff»\n+\n",
    "pem commented": "# «pem:commented»\n#\n",
    "pem noise": "«pem:noise»\n",
    "pem cut": "«pem:cut»\n...\n",
    "github random": "GITHUB_TOKEN=«github:random»\n",
    "github random bare": "see «github:random» there\n",
    "jwt unsigned": "Authorization: Bearer «jwt:unsigned»\n",
    "pair without aws": 'accessKey: "«akid»"\nsecretKey: "«awssecret»"\n',
    "pair in list": "['«akid»', '«awssecret»', 'eu-west-1']\n",
    "secret first": "s3_secret=«awssecret»\ns3_bucket=reports\ns3_region=eu-west-1\ns3_key=«akid»\n",
    "secret in words": "# The AWS secret for the build user (do not commit!):\n#   «awssecret»\n",
    "secret typed": 'private static final String AWS_SECRET_ACCESS_KEY =\n        "«awssecret»";\n',
    "secret default": 'aws_secret = os.getenv("AWS_SECRET_ACCESS_KEY", "«awssecret»")\nkey = os.environ.get("AWS_ACCESS_KEY_ID", "«akid»")\n',
    "secret array": '$config["aws"]["secret"] = "«awssecret»";\n$config["aws"]["key"] = "«akid»";\n',
    "secret flag": "./deploy --aws-secret-access-key=«awssecret» --aws-access-key-id=«akid»\n",
    "secret xml": "<aws><accessKey>«akid»</accessKey><secretKey>«awssecret»</secretKey></aws>\n",
    "secret ps": "-AccessKey '«akid»' -SecretKey '«awssecret»'\n",
    "secret cpp": 'Aws::Auth::AWSCredentials c("«akid»", "«awssecret»");\n',
    "secret elixir": 'config :ex_aws, access_key_id: "«akid»", secret_access_key: "«awssecret»"\n',
    "secret clojure": '{:access-key "«akid»" :secret-key "«awssecret»" :endpoint "eu-west-1"}\n',
    "secret jenkins": "withEnv(['AWS_ACCESS_KEY_ID=«akid»', 'AWS_SECRET_ACCESS_KEY=«awssecret»']) { sh 'make' }\n",
    "sha beside aws": 'aws_commit = "«hex:40»"\nAWS_LAMBDA_LAYER_SHA = "«hex:64»"\naws s3 cp build-«hex:40».zip s3://bucket/\n',
    "paths beside secret": "aws_secret_path = /var/run/secrets/kubernetes/io/aws/token\nAWS_SECRET_ARN=arn:aws:secretsmanager:eu-west-1:123412341234:secret:prod/app/db-AbCdEf\n".replace(
        "123412341234", "«n:12»"
    ),
    "base64 beside aws": 'awsLogo = "data:image/png;base64,iVBORw0KGgo«alnum:200»"\nuser_data = "«alnum:40»"\n',
    "slack go": 'api := slack.New("«slack»")\nhook := "«webhook»"\n',
    "jwt test": 'const expired = "«jwt»";\nassert.equal(decode(expired).alg, "«w:HS256|RS256»");\n',
    "jwt cookie": "Cookie: session=«jwt»; theme=dark\n",
    "jwt url": "https://app.example.com/verify?token=«jwt»&next=/home\n",
    "diff": "--- a/config.py\n+++ b/config.py\n@@ -1,4 +1,4 @@\n-AWS_SECRET_ACCESS_KEY = '«awssecret»'\n+AWS_SECRET_ACCESS_KEY = os.environ['AWS_SECRET_ACCESS_KEY']\n-AWS_ACCESS_KEY_ID = '«akid»'\nindex «hex:7»..«hex:7» 100644\n",
    "cloudformation": "Outputs:\n  SecretKey:\n    Value: !GetAtt Key.SecretAccessKey\nParameters:\n  AccessKey: {Type: String, Default: «akid»}\n",
    "notebook": '{"cells": [{"cell_type": "code", "source": ["ACCESS_KEY = \\"«akid»\\"\\n", "SECRET_KEY = \\"«awssecret»\\"\\n"]}]}',
    "placeholders": "aws_access_key_id = YOUR_ACCESS_KEY\naws_secret_access_key = «w:YOUR_SECRET_KEY|<secret>|${AWS_SECRET}|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx»\npassword = «decoy:placeholder»\ntoken: «decoy:github near miss»\nslack: «decoy:slack near miss»\n",
    "hashes": 'GIT_COMMIT = "«decoy:sha1»"\nAWS_S3_OBJECT_SECRET_NAME = "prod/app/database"\nchecksum = "«decoy:sha256»"\nkey_id = "«decoy:access key near miss»"\n# aws key digest «decoy:sha1»\n',
    "aws near": 'aws_example = "«decoy:secret look-alike»"\nsecret_hash = "«decoy:md5»"\n',
    "public keys": "«decoy:no private key»\n",
    "integrity": '"left-pad": {"version": "1.3.0", "integrity": "sha512-«alnum:86»==", "resolved": "https://registry.example/left-pad-1.3.0.tgz"}\n',
    "scoped": 'import x from "@babel/core";\nimport y from "«decoy:no mail»";\n@app.route("/x")\n@pytest.fixture\ndef f(): ...\n',
    "constants": "const A = «n:10»; const B = 0x«hex:16»; const C = «n:16»;\nint magic[] = {«n:10», «n:9», «n:10»};\nfloat pi = «decoy:decimal»;\n",
    "phones in code": 'SUPPORT = "«phone:1 dashed»"\nPATTERN = r"\\d{3}-\\d{2}-\\d{4}"\nTWILIO_FROM = "«phone:E.164»"\n',
    "regex": 'SSN = re.compile(r"^(?!000|666)[0-8]\\d{2}-(?!00)\\d{2}-(?!0000)\\d{4}$")\nPHONE_FORMAT = "(###) ###-####"\n',
}


def text(r: Random) -> Labelled:
    """One to four snippets after each other."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 5)):
        name = r.choice(list(SNIPPETS))
        names.append(name)
        w.fill(SNIPPETS[name]).put(r.choice(("", "\n", "\n\n")))
    return w.done("code/" + "+".join(names))
