"""Held out: logs. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

LINES = """
[«day» «time»] production.ERROR: Card declined {"pan":"«card»","order":"«n:9»"} []
I, [«day»T«time».«n:6» #«n:5»]  INFO -- : Parameters: {"email"=>"«email»", "phone"=>"«phone:marked»", "token"=>"[FILTERED]"}
«day» «time» UTC [«n:5»] app@prod LOG:  statement: UPDATE people SET ssn='«ssn»' WHERE id=«n:8»
«ip» «email» [12/Jun/2024:«time» -0500] "GET /api/v1/users/«n:9» HTTP/1.1" 200 «n:5» «n:6»
time="«day»T«time»Z" level=error msg="call failed" to="«abroad»" sid=CA«hex:32» duration=0.«n:9»
{"time":"«day»T«time».«n:9»Z","severity":"WARNING","user":{"mail":"«email»","tel":"«phone:E.164»"},"insertId":"«alnum:14»","spanId":"«n:19»"}
«day»T«time».«n:3»+0200 DEBUG PaymentGateway: request=<card number="«card:plain»" cvv="***"/>
Jun  3 «time» fw kernel: [«n:7».«n:6»] DROP IN=eth0 SRC=«ip» DST=«ip» LEN=60 ID=«n:5» SPT=«n:5» SEQ=«n:10»
sshd[«n:4»]: Failed password for root from «ip» port «n:5» ssh2
«time».«n:3» [http-nio-8080-exec-«n:1»] INFO c.b.Transfer - booking from «iban:compact» to «iban:compact» amount «n:4».«n:2»
postfix/qmgr[«n:5»]: «hex:10»: from=<«email»>, size=«n:5», nrcpt=1 (queue active)
export: AWS_SECRET_ACCESS_KEY=«awssecret» AWS_ACCESS_KEY_ID=«akid»
+ aws configure set aws_secret_access_key «awssecret»
botocore.credentials Found credentials in environment variables: «akid»
remote: https://oauth2:«github»@github.com/org/repo.git
WebClient token=«slack» ok=true ts=«n:10».«n:6»
Authorization: Bearer «jwt»
customer «n:9» verified by ssn «ssn:marked» in «n:3» ms
ivr caller=«phone:plain» callee=«phone:plain» dur=«n:3»
SMS from «abroad» to «phone:E.164»: code «n:6»
user=«email» action=login result=success src=«ip»
psql: error: connection to «db» failed
trace «hex:32» span «hex:16» parent «n:19» start «decoy:epoch microseconds» end «decoy:epoch microseconds»
gc «n:4» @«n:3».«n:3»s 0%: 0.0«n:2»+1.«n:1»+0.00«n:1» ms clock, 4->4->1 MB
sensor-«n:2» t=«decoy:epoch milliseconds» v=«decoy:exponent» lat/lon «decoy:coordinates»
Compiled «decoy:version» (rev «decoy:sha1») on «decoy:date and time»
job «decoy:uuid of digits» done; next at «decoy:compact time»
inode «n:10» blocks «n:9» dev 8,«n:1» uid «n:4»
request_id=«n:16» order=«decoy:order number» ean=«n:13»
block «n:9» hash 0x«hex:64» nonce «n:19»
ring buffer «n:3» of «n:4» overflow, dropped «n:10» events
segfault at «hex:12» ip «hex:12» sp «hex:12» error 4
msg «decoy:longer run» acked in 0.«n:10» s
upload part «n:2» etag "«hex:32»-«n:2»" «n:10» bytes
mqtt client «alnum:23» keepalive 60 mid «n:5»
cron: (root) CMD (backup --id «n:9» --ts 20240612«n:6»)
"""
TEMPLATES = LINES.strip().splitlines()


def text(r: Random) -> Labelled:
    """Eight to thirty lines."""
    w = Writer(r, FIELDS)
    for _ in range(r.randrange(8, 30)):
        w.fill(r.choice(TEMPLATES)).put("\n")
    return w.done("logs")
