"""More structured data of the development family: names of keys far from their values, escapes, protocol traces."""

# ruff: noqa: E501
from __future__ import annotations

DOCUMENTS: dict[str, str] = {
    "sql plain": "INSERT INTO people (id, ssn, phone, iban) VALUES («n:6», '«ssn:plain»', '«phone:plain»', '«iban:compact»');\n",
    "sql where": "SELECT * FROM customer WHERE social_security_number = '«ssn:plain»' AND phone_number = '«phone:plain»' AND order_no <> «n:9» LIMIT 10;\n",
    "sql update": "UPDATE patient SET mobile='«phone:plain»', email='«email»', updated='«day» «time»' WHERE ssn='«ssn»';\n",
    "yaml list": 'phones:\n  - "«phone:plain»"\n  - «phone:dashed»\nemails: [«email», «email»]\nids: [«n:10», «n:9»]\n',
    "xml field": '<row><field name="ssn">«ssn:plain»</field><field name="phone">«phone:plain»</field><field name="order">«n:10»</field></row>',
    "xml namespaced": '<p:Person xmlns:p="urn:x"><p:SocialSecurityNumber>«ssn»</p:SocialSecurityNumber><p:PrimaryPhone>«phone:plain»</p:PrimaryPhone><p:AccountIBAN>«iban:compact»</p:AccountIBAN></p:Person>',
    "xml cdata": "<contact><![CDATA[Call «phone:parens» or «email»; SSN «ssn»]]></contact>",
    "trace": 'POST /v2/accounts HTTP/1.1\nContent-Type: application/json\n\n{"holder": {"taxId": "«ssn»", "mobilePhone": "«phone:plain»"}, "sourceIban": "«iban:compact»", "cvv": «n:3», "nonce": "«hex:32»"}\nHTTP/1.1 201 Created\nX-Trace-Id: «n:19»\n',
    "log pairs": "socialSecurityNumber=«ssn:plain» phoneNumber=«phone:plain» cardNo=«card:plain» sessionNo=«n:10» requestNo=«n:9»\n",
    "php array": "['ssn' => '«ssn:plain»', 'tel' => '«phone:plain»', 'mail' => '«email»', 'ref' => '«n:10»']",
    "python repr": "User(id=«n:9», ssn='«ssn:plain»', phone='«phone:plain»', created=«pat:17########»)",
    "ruby hash": '{:ssn=>"«ssn:plain»", :phone=>"«phone:parens»", :card_number=>"«card:spaced»", :ref=>«n:10»}',
    "go struct": '&Customer{ID:«n:7», SSN:"«ssn:plain»", Phone:"«phone:E.164»", Hash:"«hex:40»"}',
    "json escaped": '"{\\"email\\":\\"«email»\\",\\"phone\\":\\"«phone:plain»\\",\\"ssn\\":\\"«ssn:plain»\\",\\"ts\\":«pat:17###########»}"',
    "json strings": '{"lines": ["SSN: «ssn»", "Tel. «phone:dotted»", "IBAN «iban:spaced»", "No. «n:9»"]}',
    "json typed": '[{"type": "phone", "value": "«phone:plain»"}, {"type": "ssn", "value": "«ssn:plain»"}, {"type": "order", "value": "«n:9»"}]',
    "json pairs": '[{"key": "ssn", "value": "«ssn»"}, {"Name": "AWS_SECRET_ACCESS_KEY", "Value": "«awssecret»"}, {"Name": "AWS_ACCESS_KEY_ID", "Value": "«akid»"}]',
    "ecs task": '{"environment": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "«awssecret»"}, {"name": "GITHUB_TOKEN", "value": "«github»"}, {"name": "BUILD", "value": "«hex:40»"}]}',
    "k8s env": '        env:\n        - name: AWS_SECRET_ACCESS_KEY\n          value: "«awssecret»"\n        - name: AWS_ACCESS_KEY_ID\n          value: «akid»\n        - name: SLACK_TOKEN\n          value: «slack»\n',
    "yaml folded": "aws_secret_access_key: >-\n  «awssecret»\ntoken: |\n  «jwt»\n",
    "ini colon": "[customer]\nssn: «ssn:plain»\nphone: «phone:plain»\niban: «iban:spaced»\nfax = «phone:dotted»\norder: «n:10»\n",
    "markdown list": "- **SSN:** «ssn:plain»\n- **Phone:** «phone:plain»\n- **Card:** `«card:spaced»`\n- **Order:** «n:9»\n- **Commit:** `«hex:40»`\n",
    "html rows": "<tr><td>Social Security Number</td><td>«ssn:plain»</td></tr>\n<tr><td>Phone</td><td>«phone:plain»</td></tr>\n<tr><td>Order</td><td>«n:9»</td></tr>\n",
    "html inputs": '<input type="text" id="ssn" value="«ssn:plain»"><input type="tel" id="phone" value="«phone:plain»"><input type="hidden" id="state" value="«hex:40»">',
    "latex": "Tel.\\ «phone:parens», \\href{mailto:«email»}{«email»}, IBAN~«iban:spaced»\n",
    "swift": ":50F:/«iban:compact»\n1/«name»\n2/«town»\n:59:/«iban:compact»\n«firm»\n:70:INV «n:9»\n",
    "bai2": "01,«n:9»,«n:9»,240612,«n:4»,1,80,,2/\n02,«n:9»,«aba:bare»,1,240611,,USD,2/\n".replace("«aba:bare»", "«n:6»"),
    "dotenv json": 'FIREBASE={"apiKey":"«token:google.api_key»","appId":"1:«n:12»:web:«hex:22»"}\nAWS={"key":"«akid»","secret":"«awssecret»"}\n',
    "prometheus": 'build_info{version="«n:1».«n:2».«n:1»",rev="«hex:40»"} 1\nprocess_start_time_seconds «n:10».«n:2»\nbytes_total{id="«n:9»"} «n:16»\n',
    "otlp": '{"resourceSpans":[{"traceId":"«hex:32»","start":"«n:19»","attributes":[{"key":"user.phone","value":{"stringValue":"«phone:plain»"}},{"key":"user.email","value":{"stringValue":"«email»"}},{"key":"order.id","value":{"stringValue":"«n:10»"}}]}]}',
}  # fmt: skip
