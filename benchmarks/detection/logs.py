"""Lines of logs with and without values. Development family."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

LINES = """
«day» «time»,«n:3» INFO  [main] c.e.shop.Checkout - charged «card:plain» for customer «n:7»
«day»T«time».«n:3»Z level=info msg="user signed up" email=«email» phone=«phone:E.164» ip=«ip»
«day»T«time».«n:6»+00:00 app[«n:4»]: card=«card:plain» amount=«n:4» trace=«hex:32»
«ip» - - [12/Jun/2024:«time» +0000] "GET /reset?email=«email» HTTP/1.1" 200 «n:4» "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
«ip» - - [12/Jun/2024:«time» +0000] "POST /pay HTTP/2" 302 «n:3» rt=0.«n:3»
Jun 12 «time» host«n:2» sshd[«n:5»]: Accepted publickey for deploy from «ip» port «n:5» ssh2
<34>1 «day»T«time».003Z mx postfix/smtp «n:5» - - «pat:%#%#%####»: to=<«email»>, relay=none, delay=«n:2», status=sent
DEBUG request headers: {'Authorization': 'Bearer «jwt»', 'X-Request-Id': '«uuid»'}
WARN slow query (1«n:3» ms): select * from users where ssn = '«ssn»' and id = «n:7»
ERROR failed to notify «phone:+1 dashed»: code «n:5»
«day» «time» [pool-1] sms.Sender: to=«abroad:GB» status=queued id=SM«hex:32»
ts=«pat:171#######» caller=auth.go:«n:3» token=«github» ok=false
«time» INFO boto3 using access key «akid» region=eu-west-1
env AWS_ACCESS_KEY_ID=«akid» AWS_SECRET_ACCESS_KEY=«awssecret» ./deploy.sh
audit: {"actor":"«email»","action":"payout","iban":"«iban:compact»","at":«pat:171##########»}
«day» «time» audit user=«n:5» field=ssn old=«ssn» new=«ssn»
connecting to «db»
curl -H 'Authorization: token «github»' https://api.example.com/user
slack: chat.postMessage token=«slack» channel=C«pat:&&&&&&&&»
W0612 «time».«n:6»   1 reflector.go:«n:3»] watch of *v1.Secret ended
kernel: [«n:6».«n:6»] eth0: link up, 1000Mbps
GC(«n:4») Pause Young 25M->8M(64M) 3.«n:3»ms
span_id=«hex:16» trace_id=«hex:32» duration=«n:7»ns start=«decoy:epoch microseconds»
metric cpu.load 0.«n:16» «decoy:epoch milliseconds» host=web-«n:2»
GET /orders/«decoy:order of nine» 404 «n:2»ms
deploy «decoy:sha1» to prod by ci at «decoy:date and time»
order_id=«decoy:order number» status=paid
txn «decoy:uuid of digits» settled
msgid=«decoy:longer run» retry=«n:1»
checksum «decoy:md5» ok, version «decoy:version»
position «decoy:coordinates» speed 3.«n:9»
Received-SPF: pass client-ip=«ip»; envelope-from=«email»
callback https://api.example.com/cb?phone=«phone:plain»&id=«n:9»
commit «hex:40» (tag: v«n:1».«n:2».«n:1»)
author «name» <«email»> «pat:17########» -0«n:1»00
index «hex:7»..«hex:7» 100644
@@ -«n:3»,«n:2» +«n:3»,«n:4» @@ def f(a, b=«n:10»):
 «n:3» files changed, «n:4» insertions(+), «n:4» deletions(-)
{"ts":«pat:17########».«n:6»,"lvl":"info","bytes":«n:10»,"id":"«hex:16»"}
user agent build «decoy:build number»
memory 0x«hex:12» freed at «decoy:hex run»
pkg install left-pad@1.3.0 «w:left|right»@«n:1».«n:1».«n:2» resolved
imei check for device «n:8» done in «n:3» ms
card check failed: luhn, input «decoy:card with wrong check digit»
sid=«alnum:26»; Path=/; Max-Age=«n:10»
id=«n:10» parent=«n:10» seq=«n:16»
process «n:5» exited with code 0 after «n:10» us
"""
TEMPLATES = LINES.strip().splitlines()


def text(r: Random) -> Labelled:
    """Ten to forty lines."""
    writer = Writer(r, FIELDS)
    names = []
    for _ in range(r.randrange(10, 40)):
        at = r.randrange(len(TEMPLATES))
        names.append(at)
        writer.fill(TEMPLATES[at]).put("\n")
    return writer.done("logs")
