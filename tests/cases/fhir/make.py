"""Writes mixed.ndjson with another program's model of FHIR, which refuses what R4 does not allow.

pip install fhir.resources==7.1.0 && python make.py > mixed.ndjson   (R4B: these three resources are as in R4)
"""
from fhir.resources.R4B.adverseevent import AdverseEvent
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.procedure import Procedure

OWN = "https://example.org/fhir/StructureDefinition/"


def concept(code=None, display=None, text=None, system=None):
    coding = {key: value for key, value in dict(system=system, code=code, display=display).items() if value}
    return {**({"coding": [coding]} if coding else {}), **({"text": text} if text else {})}


def extension(name, **value):
    return {"url": OWN + name, **value}


patient = Patient(id="P-0001", gender="female", birthDate="1980-01-01")
first = Procedure(
    id="s1", status="completed", subject={"reference": "Patient/P-0001"}, performedDateTime="2026-03-02T10:30:00+01:00",
    code=concept("287809009", "Microneedling", system="http://snomed.info/sct"), usedCode=[concept("pen", "Pen device")],
    location={"reference": "Location/north"}, bodySite=[concept("89545001", "Face", system="http://snomed.info/sct")],
    reasonCode=[concept(text="Acne scars")],
    performer=[{"function": concept("nurse"), "actor": {"reference": "Practitioner/n7"}}],
    contained=[{"resourceType": "Device", "id": "d", "lotNumber": "L-17", "deviceName": [{"name": "SkinPen X", "type": "model-name"}]}],
    usedReference=[{"reference": "#d"}],
    extension=[
        extension("setting", valueCode="professional"),
        extension("needle-depth-mm", valueQuantity={"value": 1500, "unit": "um"}),
        extension("passes", valueInteger=3),
        extension("fitzpatrick", valueString="IV"),
        extension("sterile-single-use", valueBoolean=True),
        extension("painVas", valueDecimal=0.5),
        extension("conditions", valueCodeableConcept=concept("active_acne", "Acne vulgaris")),
        extension("conditions", valueCode="eczema"),
        extension("last-follow-up-date", valueDate="2026-06-30"),
        extension("side_effects", valueString="none"),
        extension("room", valueString="7"),
    ],
)
second = Procedure(
    id="s2", status="completed", subject={"reference": "https://ehr.example/fhir/Patient/P-0002/_history/3"},
    performedPeriod={"start": "2026-03-05", "end": "2026-03-05"}, code=concept(text="rf"),
    location={"display": "south"}, bodySite=[concept(text="Neck")], reasonCode=[concept("laxity")],
    complication=[concept(text="Redness"), concept("swelling")],
    extension=[extension("setting", valueCode="home"), extension("last-follow-up-date", valueDate="2026-04-30")],
)
undone = Procedure(id="s3", status="not-done", subject={"reference": "Patient/P-0001"}, performedDateTime="2026-03-09")
event = AdverseEvent(
    id="e1", actuality="actual", subject={"reference": "Patient/P-0001"},
    event=concept("10055690", "Post-inflammatory hyperpigmentation", "brown spots", "http://terminology.hl7.org/meddra"),
    suspectEntity=[{"instance": {"reference": "Procedure/s1"}}, {"instance": {"reference": "Device/d9"}}],
    severity=concept("moderate"), seriousness=concept("non-serious", "Non-serious"), outcome=concept("ongoing"),
    date="2026-03-30", recordedDate="2026-04-02",
)
without_session = AdverseEvent(
    id="e2", actuality="actual", subject={"reference": "urn:uuid:P-0002"}, event=concept("infection"),
    detected="2026-03-08T08:00:00Z", seriousness=concept("serious"), severity=concept("severe"), outcome=concept("resolved"),
    extension=[extension("resolved-date", valueDate="2026-03-20")],
)
near_miss = AdverseEvent(actuality="potential", subject={"reference": "Patient/P-0001"}, event=concept("burn"))
gais = Observation(
    id="o1", status="final", code=concept("gais", "Global Aesthetic Improvement Scale"), valueInteger=2,
    subject={"reference": "Patient/P-0001"}, effectiveDateTime="2026-06-30", partOf=[{"reference": "Procedure/s1"}],
    performer=[{"reference": "Practitioner/n7"}],
)
dlqi = Observation(
    id="o2", status="final", code=concept("dlqi"), valueQuantity={"value": 11.5, "unit": "{score}"},
    subject={"reference": "Patient/P-0002"}, effectivePeriod={"start": "2026-06-30T09:00:00Z"},
    performer=[{"reference": "Patient/P-0002"}],
)
wrong = Observation(
    id="o3", status="entered-in-error", code=concept("gais"), valueInteger=1, subject={"reference": "Patient/P-0001"},
    effectiveDateTime="2026-06-30",
)
for resource in [patient, first, event, gais, second, undone, without_session, near_miss, dlqi, wrong]:
    print(resource.json())
