"""The words of findings: outcomes, modalities and codes, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _two(en: str, zh: str) -> Mapping[str, str]:
    return {"en": en, "zh": zh}


OUTCOME: Final = {
    "PASS": _two("followed", "符合"),
    "BREACH": _two("breached", "违反"),
    "PRESUMED_BREACH": _two("presumed breached, which can be rebutted", "推定违反，可举证推翻"),
    "ADVISORY": _two("not as advised", "不宜"),
    "REVIEW": _two("a person must judge", "须人工判断"),
    "NOT_APPLICABLE": _two("does not apply", "不适用"),
    "INSUFFICIENT_EVIDENCE": _two("cannot be proved either way", "证据不足"),
}
MODALITY: Final = {
    "must": _two("law", "法律要求"),
    "must_self_reg": _two("self-regulation of an association", "行业自律要求"),
    "should": _two("recommended standard", "推荐性标准"),
    "advised": _two("advice", "不宜类建议"),
    "policy": _two("house policy", "机构自定政策"),
}
GRADE: Final = {
    "T": _two("the text was read", "已读原文"),
    "T*": _two("the article was read in a near-verbatim copy", "已读近乎逐字的转载"),
    "S": _two("quoted by a secondary source", "二手来源引述"),
    "U": _two("unconfirmed: never more than a question for a person", "未确认：至多提请人工判断"),
}
DATED: Final = {
    "due": _two("due on {date}", "到期日为 {date}"),
    "end": _two("ends on {date}", "截止日为 {date}"),
    "receipt": _two("taken as received on {date}", "视为收到日为 {date}"),
    "from": _two("possible from {date} on", "自 {date} 起方可"),
    "keep_until": _two("to be kept until {date}", "应保存至 {date}"),
}
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "not_in_force": _two("the rule was not in force on that day", "当日规则尚未施行或已失效"),
    "scope_capacity": _two("it does not bind those who acted in this capacity", "行为人身份不在规则范围内"),
    "scope_place": _two("the person does not live where it holds", "当事人所在地不在规则范围内"),
    "scope_product": _two("it is not about this kind of debt", "债务种类不在规则范围内"),
    "not_due": _two("the time for it has not run out", "期限未到"),
    "after_period": _two("it came after the period", "已超过期间"),
    "not_in_writing": _two("the request was not in writing", "请求并非书面"),
    "not_sampled": _two("nobody has reviewed this recording", "该录音未被抽检"),
    "not_binding": _two("the house has not adopted this rule as binding", "本机构未将该规则采纳为有约束力"),
    "unconfirmed": _two("the text of the rule is unconfirmed", "规则文本未经确认"),
    "readings_differ": _two(
        "an unconfirmed parameter decides, and its readings differ",
        "未确认的参数起决定作用，不同读法结果不同",
    ),
    "no_zone": _two("no time zone of the person is known", "不知当事人所在时区"),
    "zone_mismatch": _two("the event left out a time zone that is on file", "事件遗漏了档案中的时区"),
    "zone_decides": _two("the possible time zones give different answers", "不同候选时区结果不同"),
    "consent": _two("the person had agreed", "当事人事先同意"),
    "exempt": _two("this kind of act is exempt", "该类行为不受限制"),
    "allowed": _two("this is one of the things still allowed", "属于仍被允许的行为"),
    "allowance_used": _two("what was allowed once had been used", "仅允许一次的机会已用过"),
    "consent_scope": _two("the agreement may be too narrow for this act", "同意的范围可能不涵盖该行为"),
    "exception_recorded_late": _two(
        "the agreement was recorded only after the act", "同意是在行为之后才记录的"
    ),
    "not_counted": _two("it does not count towards the cap", "不计入次数"),
    "concentrated": _two("all in one day, which weighs in a rebuttal", "全部集中在一天，举证时须考虑"),
    "source_missing": _two("the count of an agency is missing for the day", "缺少外包机构当日的通信计数"),
    "count_differs": _two("an outside source counted otherwise that day", "外部来源当日计数不一致"),
    "stream_missing": _two("the records of the agency or the person are not here", "缺少机构或人员的记录"),
    "field_missing": _two("a fact that it needs was not recorded", "缺少所需的事实"),
    "no_recording": _two("there is no recording", "没有录音录像"),
    "presence_not_checked": _two("nobody checked that the evidence is still kept", "无人核验证据是否仍在"),
    "no_hold": _two("nothing stood against it", "不存在禁止事由"),
    "before_knowledge": _two(
        "the bar had begun in law but was not yet known", "法律上的禁止已开始，但当时尚不知情"
    ),
    "not_a_designation": _two("being busy once forbids no other time", "偶称忙碌并非指定不便时间"),
    "late_entry": _two("an event it rests on was captured late", "所依据的事件为迟报"),
    "liable_agency": _two("the agency answers for it", "外包机构承担责任"),
    "liable_principal": _two("the principal answers for it", "委托机构承担责任"),
    "debt_revealed": _two("the debt was revealed", "透露了债务信息"),
    "location_known": _two("the person's whereabouts were known already", "已知当事人下落"),
    "third_party": _two("it went to a third person", "联系了无关第三人"),
    "volunteer_payment": _two("the third person offered to pay", "第三人自愿代偿"),
    "representative_verified": _two("the representative's authority was checked", "代表人身份已核实"),
    "representative_unverified": _two("the representative's authority was not checked", "代表人身份未核实"),
    "representative_liability": _two(
        "how far a representative must pay was not read", "代表人的清偿范围未经确认"
    ),
    "not_confirmed": _two("a model found it and no person confirmed it", "仅由模型发现，未经人工确认"),
    "too_long": _two("the term is too long", "期限过长"),
    "item_missing": _two("a required item is missing", "缺少必备项"),
    "no_assessment": _two("no assessment of hardship came before", "此前没有困难评估"),
    "no_reasons": _two("no reasons were given", "未说明理由"),
    "statutory_notice": _two("a notice that the law may require", "可能为法定通知"),
    "no_pair": _two("there are not two effective demands", "没有两次有效催收"),
    "no_receipt": _two("nothing shows that it was received", "没有收悉证明"),
    "before_due": _two("it was made before the debt was due", "在到期之前作出"),
    "too_early": _two("it came too early", "时间过早"),
    "expired": _two("the time has run out", "期限已过"),
    "waiver_possible": _two("the debtor may have waived the defence", "债务人可能已放弃抗辩"),
    "safe_harbour_lost": _two(
        "the safe harbour is lost, which is no breach by itself", "失去安全港，但不当然违规"
    ),
    "touch_span": _two(
        "reading “touch_span”: the whole contact counts", "读法“touch_span”：以整个联系过程计"
    ),
    "message_at_delivery": _two(
        "reading “message_at_delivery”: a message counts when it arrives",
        "读法“message_at_delivery”：消息以送达时间计",
    ),
    "busy_is_connected": _two(
        "reading “busy_is_connected”: a busy line counts", "读法“busy_is_connected”：占线计入次数"
    ),
    "full_mailbox_not_connected": _two(
        "reading “full_mailbox_not_connected”: a full mailbox does not count",
        "读法“full_mailbox_not_connected”：信箱已满不计入次数",
    ),
    "consent_survives_conversation": _two(
        "reading “consent_survives_conversation”: talking does not end the agreement",
        "读法“consent_survives_conversation”：通话不使同意失效",
    ),
    "holiday_observed": _two(
        "reading “holiday_observed”: the day on which a holiday is kept is no business day",
        "读法“holiday_observed”：补休日不算工作日",
    ),
    "grant_day_counts_as_day_1": _two(
        "reading “grant_day_counts_as_day_1”: the day of the grant is day 1",
        "读法“grant_day_counts_as_day_1”：同意当日为第一日",
    ),
    "last_day_out": _two(
        "reading “last_day_out”: the last day is not protected", "读法“last_day_out”：最后一日不受保护"
    ),
}
