"""The closed families of codes: each is one type, so that a type checker knows a code from a misspelling.

A new code is a new version of every schema that uses the family. What the codes mean to a reader, in
English and in Chinese, stands in `terms.py`."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

ZoneSource: TypeAlias = Literal["residence", "statement", "number_prefix", "delivery_address"]
Role: TypeAlias = Literal[
    "debtor",
    "co_debtor",
    "guarantor",
    "representative",
    "attorney",
    "adviser",
    "contact_person",
    "household",
    "employer",
    "creditor_side",
    "bureau",
    "other",
]
EvidenceKind: TypeAlias = Literal[
    "recording",
    "message_copy",
    "letter_scan",
    "delivery_proof",
    "signed_document",
    "page_capture",
    "certificate",
    "contract",
    "impact_assessment",
    "statement",
    "form",
    "photo",
    "other",
]
LateReason: TypeAlias = Literal[
    "offline", "batch", "manual_entry", "fault", "agency_late", "correction", "backfill", "other"
]
Line: TypeAlias = Literal["registered", "private"]
Origin: TypeAlias = Literal["own", "placed", "purchased"]
Stage: TypeAlias = Literal["registered", "overdue", "entrusted", "litigation", "closed"]
PolicyKind: TypeAlias = Literal["arrears", "vulnerable"]
ReasonClose: TypeAlias = Literal[
    "paid", "plan_done", "settled", "sold", "written_off", "barred", "wrong_person", "other"
]
Product: TypeAlias = Literal[
    "credit_card", "consumer_loan", "overdraft", "store_card", "mortgage", "utility", "other"
]
AdjustKind: TypeAlias = Literal[
    "waiver", "reduction", "fee_stop", "interest_stop", "fee_charge", "interest_charge", "correction"
]
Authority: TypeAlias = Literal["staff", "supervisor", "committee", "court", "statute"]
PointAction: TypeAlias = Literal["add", "verify", "invalidate"]
Medium: TypeAlias = Literal["voice", "sms", "email", "im", "letter", "social", "app", "visit"]
PointSource: TypeAlias = Literal[
    "contract",
    "reserved",
    "authorised",
    "public",
    "told",
    "bureau",
    "inbound",
    "creditor_file",
    "number_search",
]
ContactAllowed: TypeAlias = Literal["all", "representative_only", "none", "review"]
Status: TypeAlias = Literal[
    "deceased", "minor", "incapacity", "vulnerable", "represented", "bankrupt", "none"
]
PrefKind: TypeAlias = Literal[
    "avoid_time", "only_time", "avoid_place", "avoid_medium", "work_prohibited", "busy_now"
]
PlaceKind: TypeAlias = Literal["home", "workplace", "branch", "court", "public", "other"]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Form: TypeAlias = Literal["oral", "written", "electronic"]
ConsentAction: TypeAlias = Literal["grant", "renew", "withdraw"]
ConsentScope: TypeAlias = Literal[
    "hours",
    "calls",
    "text",
    "email",
    "im",
    "workplace",
    "third_party",
    "direct_contact",
    "esign",
    "data_sharing",
]
GivenTo: TypeAlias = Literal["creditor", "collector"]
VerifyMethod: TypeAlias = Literal[
    "questions", "code", "document", "callback", "biometric", "authority_document", "other"
]
VerifyResult: TypeAlias = Literal["confirmed", "failed", "not_the_person", "refused"]
CallPurpose: TypeAlias = Literal["interactive", "notification", "locate", "legal", "service"]
CallOutcome: TypeAlias = Literal[
    "answered",
    "answered_other",
    "voicemail_left",
    "voicemail_reached",
    "voicemail_full",
    "no_answer",
    "busy",
    "declined",
    "not_in_service",
    "unreachable",
    "dropped",
    "failed",
]
Initiator: TypeAlias = Literal["creditor_side", "party"]
Recording: TypeAlias = Literal["made", "failed", "refused", "none"]
MessageKind: TypeAlias = Literal[
    "reminder",
    "due_reminder",
    "demand",
    "offer",
    "reply",
    "optout_confirmation",
    "consent_request",
    "agency_notice",
    "assignment_notice",
    "validation_notice",
    "verification",
    "substantiation",
    "substantiation_instructions",
    "collection_ended",
    "may_invoke_remedy",
    "will_invoke_remedy",
    "statutory_notice",
    "legal_letter",
    "plan_document",
    "complaint_notice",
    "privacy_notice",
    "breach_notice",
    "credit_notice",
    "other",
]
Content: TypeAlias = Literal[
    "debtor_name",
    "balance",
    "reason_law",
    "rights_duties",
    "query_route",
    "pay_route",
    "objection_route",
    "evidence_route",
    "contact",
    "seal",
    "itemisation",
    "creditor_name",
    "collector_name",
    "collector_address",
    "debtor_address",
    "account_ref",
    "current_amount",
    "rights",
    "prompts",
    "barred_notice",
    "pressure",
    "suit_threat",
]
Visibility: TypeAlias = Literal["private", "contacts", "public"]
Envelope: TypeAlias = Literal["marked_private", "debt_visible", "sender_discreet", "postcard"]
CallbackRate: TypeAlias = Literal["free", "normal", "premium"]
Delivery: TypeAlias = Literal[
    "accepted", "delivered", "read", "signed", "bounced", "returned", "refused", "failed"
]
InboundSummary: TypeAlias = Literal[
    "question",
    "promise",
    "dispute",
    "hardship",
    "complaint",
    "stop",
    "callback",
    "payment",
    "wrong_person",
    "other",
]
VisitPurpose: TypeAlias = Literal["discuss", "deliver", "verify"]
Entered: TypeAlias = Literal["no", "by_consent", "by_order", "without_consent"]
ThirdPurpose: TypeAlias = Literal["locate", "pass_message", "volunteer_payment", "ended"]
Said: TypeAlias = Literal[
    "own_name", "firm_name", "firm_asked", "callback_number", "debt", "amount", "default", "other"
]
ThirdBasis: TypeAlias = Literal[
    "contact_invalid",
    "dials_failed",
    "days_unreachable",
    "person_status",
    "invited",
    "earlier_answer_wrong",
    "none",
]
DisclosureKind: TypeAlias = Literal[
    "identity",
    "agency_identity",
    "collector_warning",
    "collector_again",
    "debt_details",
    "opt_out",
    "recording_notice",
    "validation",
    "right_to_object",
    "transfer",
    "privacy",
    "automated_decision",
]
HardshipCause: TypeAlias = Literal[
    "illness", "bereavement", "unemployment", "income_drop", "disaster", "family", "other"
]
Willingness: TypeAlias = Literal["willing", "unwilling", "unclear"]
Direction: TypeAlias = Literal[
    "from_party", "to_party", "to_creditor", "from_creditor", "to_agency", "to_authority"
]
DocumentKind: TypeAlias = Literal[
    "hardship_proof",
    "identity_proof",
    "payment_proof",
    "offer",
    "dispute",
    "payment_advice",
    "contract",
    "statement",
    "policy",
    "other",
]
Proposer: TypeAlias = Literal["party", "creditor_side", "adviser"]
PlanDecision: TypeAlias = Literal["accept", "reject", "counter"]
ReasonPlan: TypeAlias = Literal["terms", "too_low", "no_evidence", "not_entitled", "policy", "other"]
PlanItem: TypeAlias = Literal["balance", "schedule", "charges", "no_new_card", "rights_duties", "other_terms"]
PayMethod: TypeAlias = Literal["transfer", "deduction", "card", "cash", "court", "other"]
Payer: TypeAlias = Literal["debtor", "guarantor", "third_party"]
DisputeRequest: TypeAlias = Literal["dispute", "original_creditor", "substantiation", "credit_report"]
Ground: TypeAlias = Literal["identity", "existence", "amount", "paid", "barred", "other"]
DisputeOutcome: TypeAlias = Literal["upheld", "partly", "rejected", "duplicate", "withdrawn"]
SentItem: TypeAlias = Literal["verification", "original_creditor", "substantiation", "evidence", "reasons"]
CeaseScope: TypeAlias = Literal["all", "medium", "place", "time", "refuse_to_pay"]
Forum: TypeAlias = Literal[
    "collector", "supervisor", "bank", "regulator", "consumer_association", "ombudsman", "court", "legal_aid"
]
ComplaintCategory: TypeAlias = Literal[
    "conduct", "amount", "identity", "privacy", "third_party", "hours", "fees", "service", "other"
]
ComplaintOutcome: TypeAlias = Literal["upheld", "partly", "rejected", "withdrawn"]
StaffAction: TypeAlias = Literal["none", "coached", "moved", "suspended", "dismissed"]
HoldKind: TypeAlias = Literal[
    "dispute",
    "plan_talks",
    "plan",
    "cease",
    "attorney",
    "adviser",
    "moratorium",
    "court_stay",
    "person",
    "legal_hold",
]
Blocks: TypeAlias = Literal["contact", "demand", "enforcement", "charges", "credit_report", "erase"]
HoldReason: TypeAlias = Literal[
    "standard_breathing", "mental_crisis", "bankruptcy", "incapacity", "vulnerable", "death", "other"
]
PayModel: TypeAlias = Literal["salary", "mixed", "pure_commission"]
ReviewResult: TypeAlias = Literal["good", "fair", "poor"]
ReviewAction: TypeAlias = Literal["continue", "limit", "terminate"]
Qualification: TypeAlias = Literal["certificate", "training", "exam", "engagement"]
LegalKind: TypeAlias = Literal[
    "lawyer_letter",
    "pre_action_notice",
    "statutory_demand",
    "police_report",
    "filed",
    "served",
    "judgment",
    "enforcement",
]
VenueBasis: TypeAlias = Literal["contract_place", "residence", "property", "other"]
LegalReason: TypeAlias = Literal["no_response", "no_agreement", "plan_breached", "other"]
CreditItem: TypeAlias = Literal["delinquency", "settlement", "correction", "deletion"]
Conduct: TypeAlias = Literal[
    "false_authority",
    "posed_as_bank",
    "threat",
    "abuse",
    "violence",
    "fraud",
    "exaggeration",
    "fake_blacklist",
    "extra_fee",
    "induce_borrowing",
    "public_posting",
    "privacy_leak",
    "private_phone",
    "pretext",
    "lump_sum",
    "short_time",
    "sell_property",
    "overshadowing",
]
FoundBy: TypeAlias = Literal["person", "model"]
Sample: TypeAlias = Literal["random", "targeted", "complaint", "all"]
Corrective: TypeAlias = Literal["none", "coached", "apology", "case_moved", "discipline"]
IncidentKind: TypeAlias = Literal["conduct", "data", "complaint_cluster", "system"]
Notified: TypeAlias = Literal["regulator", "person", "police", "creditor", "association"]
IncidentItem: TypeAlias = Literal["data_kinds", "cause", "harm", "remedy", "advice", "contact"]
DataAction: TypeAlias = Literal[
    "access",
    "export",
    "disclose",
    "erase",
    "restrict",
    "verify_present",
    "audit",
    "request_received",
    "request_answered",
]
DataPurpose: TypeAlias = Literal[
    "collection", "complaint", "quality", "legal", "audit", "subject_right", "retention", "entrustment"
]
DataField: TypeAlias = Literal[
    "identity", "contact", "debt", "recording", "hardship", "health", "location", "payment", "document", "all"
]
RequestKind: TypeAlias = Literal["access", "copy", "correct", "erase", "restrict", "object", "explain"]
Answer: TypeAlias = Literal["granted", "restricted", "refused"]
AnswerReason: TypeAlias = Literal[
    "retention_period", "legal_claim", "not_identified", "third_party_rights", "other"
]
Unit: TypeAlias = Literal["call", "message"]

# Every family under the name that the catalogue gives it.
FAMILIES: Final[dict[str, Any]] = {
    "zone_source": ZoneSource,
    "role": Role,
    "evidence_kind": EvidenceKind,
    "late_reason": LateReason,
    "line": Line,
    "origin": Origin,
    "stage": Stage,
    "policy_kind": PolicyKind,
    "reason_close": ReasonClose,
    "product": Product,
    "adjust_kind": AdjustKind,
    "authority": Authority,
    "point_action": PointAction,
    "medium": Medium,
    "point_source": PointSource,
    "contact_allowed": ContactAllowed,
    "status": Status,
    "pref_kind": PrefKind,
    "place_kind": PlaceKind,
    "weekday": Weekday,
    "form": Form,
    "consent_action": ConsentAction,
    "consent_scope": ConsentScope,
    "given_to": GivenTo,
    "verify_method": VerifyMethod,
    "verify_result": VerifyResult,
    "call_purpose": CallPurpose,
    "call_outcome": CallOutcome,
    "initiator": Initiator,
    "recording": Recording,
    "message_kind": MessageKind,
    "content": Content,
    "visibility": Visibility,
    "envelope": Envelope,
    "callback_rate": CallbackRate,
    "delivery": Delivery,
    "inbound_summary": InboundSummary,
    "visit_purpose": VisitPurpose,
    "entered": Entered,
    "third_purpose": ThirdPurpose,
    "said": Said,
    "third_basis": ThirdBasis,
    "disclosure_kind": DisclosureKind,
    "hardship_cause": HardshipCause,
    "willingness": Willingness,
    "direction": Direction,
    "document_kind": DocumentKind,
    "proposer": Proposer,
    "plan_decision": PlanDecision,
    "reason_plan": ReasonPlan,
    "plan_item": PlanItem,
    "pay_method": PayMethod,
    "payer": Payer,
    "dispute_request": DisputeRequest,
    "ground": Ground,
    "dispute_outcome": DisputeOutcome,
    "sent_item": SentItem,
    "cease_scope": CeaseScope,
    "forum": Forum,
    "complaint_category": ComplaintCategory,
    "complaint_outcome": ComplaintOutcome,
    "staff_action": StaffAction,
    "hold_kind": HoldKind,
    "blocks": Blocks,
    "hold_reason": HoldReason,
    "pay_model": PayModel,
    "review_result": ReviewResult,
    "review_action": ReviewAction,
    "qualification": Qualification,
    "legal_kind": LegalKind,
    "venue_basis": VenueBasis,
    "legal_reason": LegalReason,
    "credit_item": CreditItem,
    "conduct": Conduct,
    "found_by": FoundBy,
    "sample": Sample,
    "corrective": Corrective,
    "incident_kind": IncidentKind,
    "notified": Notified,
    "incident_item": IncidentItem,
    "data_action": DataAction,
    "data_purpose": DataPurpose,
    "data_field": DataField,
    "request_kind": RequestKind,
    "answer": Answer,
    "answer_reason": AnswerReason,
    "unit": Unit,
}
