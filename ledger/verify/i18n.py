"""Every word that a verdict says to a reader, in English and in Chinese. No code is without both.

`detail` of an error is technical and stays in English; what the error means stands here. A blank in a sentence
is `{name}`; what fills it comes from evidence or from the reader's own files, so it is made visible by whoever
renders it (see `report.visible`), never here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh")
Words = Mapping[str, tuple[str, str]]

CODES: Words = {
    "E_CONTAINER": ("The file is not a bundle in its one spelling.", "文件不符合证据包唯一规定的写法。"),
    "E_LIMIT": ("A part is larger than this verifier reads.", "某一部分超出本验证程序的读取上限。"),
    "E_PATH": (
        "A name inside the file, or the file itself, is not allowed.",
        "文件内的名称或文件本身不被允许。",
    ),
    "E_DUP_NAME": ("Two parts of the file have one name.", "文件中有两个部分同名。"),
    "E_MANIFEST": ("The table of contents does not fit the parts.", "目录清单与各部分内容不符。"),
    "E_EXTRA_FILE": (
        "The file holds a part that does not belong in a bundle.",
        "文件中有不属于证据包的部分。",
    ),
    "E_MISSING_FILE": ("A part that a bundle needs is missing.", "缺少证据包必需的部分。"),
    "E_ENCODING": ("Text holds bytes or characters that are not allowed.", "文本含有不允许的字节或字符。"),
    "E_DUP_KEY": ("A member is given twice.", "同一成员出现两次。"),
    "E_NUMBER": ("A number is not in the one allowed form.", "数字不符合唯一允许的形式。"),
    "E_NONCANONICAL": ("A part is not written in its one spelling.", "某一部分未按唯一规定的写法书写。"),
    "E_SCHEMA": (
        "A part does not have the members that its form requires.",
        "某一部分的内容不符合规定的结构。",
    ),
    "E_VERSION": (
        "A part is newer than this verifier; a newer one may be able to judge it.",
        "某一部分比本验证程序更新；较新的程序或可判断。",
    ),
    "E_ALG": ("A signature algorithm is not the one expected.", "签名算法与预期不符。"),
    "E_SIG": ("A signature does not hold.", "签名无效。"),
    "E_CONTEXT": (
        "A statement is used in a place for which it was not made.",
        "某项声明被用于其本不针对的场合。",
    ),
    "E_KEY_UNKNOWN": ("A key was not registered when it was used.", "密钥在使用时尚未登记。"),
    "E_KEY_WEAK": ("A key is one with which anybody could sign.", "密钥过弱，任何人都可能用它签名。"),
    "E_KEY_REVOKED": (
        "A key was used after it had been revoked or retired.",
        "密钥在撤销或停用之后仍被使用。",
    ),
    "E_KEY_SCOPE": ("A key was used for something that it may not sign.", "密钥被用于其无权签署的事项。"),
    "E_CHAIN_BREAK": ("An entry does not name the entry before it.", "某条记录未指向其前一条记录。"),
    "E_CHAIN_GAP": ("An entry is missing between two others.", "两条记录之间缺少记录。"),
    "E_CHAIN_FORK": ("Two entries claim one place.", "两条记录占用同一位置。"),
    "E_CASE_MISMATCH": (
        "Something belongs to another case, stream or shard.",
        "有内容属于其他案件、流或分片。",
    ),
    "E_DUP_EVENT": (
        "One event stands twice, or one number names two events.",
        "同一事件出现两次，或同一序号对应两个事件。",
    ),
    "E_PRODUCER_GAP": ("The numbering of a recording tool does not hold.", "采集工具的编号不连贯。"),
    "E_INCLUSION": ("The entries are not those under the checkpoint.", "这些记录不是检查点所涵盖的记录。"),
    "E_PROOF_SHAPE": ("A proof has the wrong form for its place.", "证明的形式与其位置不符。"),
    "E_INDEX": ("An entry's number is impossible or out of order.", "记录编号不可能或次序错误。"),
    "E_LEAF_BINDING": ("An entry's bytes are not those that were counted.", "记录的字节与计入时不同。"),
    "E_MIXED": ("Parts come from different checkpoints.", "各部分来自不同的检查点。"),
    "E_ORIGIN": ("The ledger is not one that the trust file names.", "该账本不在信任文件所列之中。"),
    "E_CHECKPOINT": ("The checkpoint is not in its one form.", "检查点不符合规定的形式。"),
    "E_QUORUM": (
        "Those who must vouch, by the trust file, have not all done so.",
        "信任文件要求的见证方或审计方未全部作保。",
    ),
    "E_INCONSISTENT": (
        "The ledger shows two histories that exclude each other.",
        "账本出示了两份互相排斥的历史。",
    ),
    "E_ROLLBACK": (
        "The bundle cannot be joined to what the reader remembers.",
        "证据包无法与读者所记住的状态衔接。",
    ),
    "E_STALE": ("The bundle is older than the trust file allows.", "证据包的时间早于信任文件允许的期限。"),
    "E_INCOMPLETE": (
        "A stream, or the proof that it is whole, is missing.",
        "缺少某个流，或缺少其完整性的证明。",
    ),
    "E_TRUNCATED": ("Entries of a stream are left out.", "某个流的记录被省略。"),
    "E_TIME_ORDER": ("The ledger's own time runs backwards.", "账本自身的时间倒退。"),
    "E_TIME_BOUND": (
        "A time lies outside what the witnesses' time allows.",
        "某个时间超出见证时间所允许的范围。",
    ),
    "E_COMMITMENT": (
        "A value that was opened, a rule pack or a finding is not the one that follows from the ledger.",
        "公开的内容、规则包或规则结论与账本所承诺的不一致。",
    ),
    "E_KEY_COMMIT": ("A protecting key is not the one committed to.", "保护密钥与承诺的不一致。"),
    "E_DECRYPT": ("A protected field does not open.", "受保护字段无法打开。"),
    "E_REPORT": (
        "The report is not the page that this verifier makes from this bundle.",
        "该报告并非本验证程序根据此证据包生成的页面。",
    ),
    "W_REDACTED": (
        "Some protected fields were not opened for this reader.",
        "部分受保护字段未向本读者公开。",
    ),
    "W_CLOCK_SKEW": (
        "Clocks disagree, or events arrived long after they were captured.",
        "时钟不一致，或事件在采集后很久才送达。",
    ),
    "W_KEY_WINDOW": (
        "Some entries were signed by a key that was revoked later.",
        "部分记录由后来被撤销的密钥签署。",
    ),
    "W_UNLINKED": (
        "No proof joins this bundle to what the reader remembers; the witnesses have checked it.",
        "没有证明将本证据包与读者所记住的状态衔接；见证方已作核对。",
    ),
    "W_UNWITNESSED": (
        "The trust file asks for no witness: that history was not rewritten rests on the operator's word.",
        "信任文件不要求见证：历史未被改写仅凭运营方之言。",
    ),
    "W_UNAUDITED": (
        "The trust file names no auditor: that nothing is left out rests on the operator's word.",
        "信任文件未指定审计方：无遗漏仅凭运营方之言。",
    ),
    "W_PACK_MISSING": (
        "Rule packs that the ledger adopted are not in the bundle.",
        "账本采纳的部分规则包不在证据包内。",
    ),
    "UNUSABLE": ("A file that the reader gave cannot be used.", "读者提供的文件无法使用。"),
    "UNEXPECTED": ("The verifier itself failed; this is a fault in it.", "验证程序自身出错，此为程序缺陷。"),
    "W_LATE": (
        "Some events were captured more than a day after they happened.",
        "部分事件在发生一天以后才被采集。",
    ),
}

STEPS: Words = {
    "container": ("the file is one container in its one spelling", "文件为唯一写法的容器"),
    "manifest": ("table of contents, sizes and digests fit the parts", "目录清单、大小与摘要同各部分相符"),
    "trust": ("the ledger is one that the trust file names", "账本为信任文件所列"),
    "checkpoint": (
        "checkpoint signed; witnesses, auditors, remembered state",
        "检查点签名、见证方、审计方与所记状态",
    ),
    "entries": ("every entry in its one spelling and by its schema", "每条记录写法唯一并符合其结构"),
    "inclusion": ("every entry is under the checkpoint", "每条记录均在检查点之下"),
    "seal": ("the seal is the last entry and the log key's", "封印为最后一条记录且由账本密钥签署"),
    "streams": ("every stream is whole, from first entry to last", "每个流从首条到末条均完整"),
    "shard": ("the case belongs to this shard of the ledger", "案件属于账本的本分片"),
    "registry": (
        "keys, tools and approvals replayed from the ledger itself",
        "由账本自身重放密钥、工具与审批",
    ),
    "producers": ("every entry is signed by its tool, in its order", "每条记录由其工具签名且次序正确"),
    "times": ("times agree as far as clocks can", "各时间在时钟误差内一致"),
    "disclosures": ("opened fields are those that were committed to", "公开字段与承诺一致"),
    "findings": ("findings and rule packs are those of the ledger", "规则结论与规则包同账本一致"),
    "not_checked": ("what was not checked is listed", "列明未核验事项"),
}

REASONS: Words = {
    "needs": ("needs step {step}, which failed", "依赖第 {step} 步，而该步未通过"),
    "errors": ("{count} complaint(s), listed under Why", "{count} 项问题，列于“原因”"),
    "read": ("{count} parts", "{count} 个部分"),
    "origin": ("origin {origin}", "来源 {origin}"),
    "vouched": ("signed by {names}", "由 {names} 签署"),
    "parsed": ("{count} entries", "{count} 条记录"),
    "included": ("{count} entries under size {size}", "规模 {size} 之下的 {count} 条记录"),
    "sealed": ("sealed {time}", "封印于 {time}"),
    "whole": ("{count} streams", "{count} 个流"),
    "placed": ("shard {shard} of {shards}", "第 {shard} 分片，共 {shards} 个"),
    "replayed": ("{count} administrative entries", "{count} 条管理记录"),
    "signed": ("{count} entries, {signatures} signatures", "{count} 条记录，{signatures} 个签名"),
    "timed": ("from {first} to {last}", "自 {first} 至 {last}"),
    "opened": ("{opened} opened, {closed} not opened", "公开 {opened} 项，未公开 {closed} 项"),
    "packs": (
        "{count} rule pack(s) in the bundle, none with a rule, no findings claimed",
        "证据包含 {count} 个规则包，均无规则，未主张任何结论",
    ),
    "judged": (
        "{count} findings of {rules} rules in {packs} rule pack(s), made again",
        "依 {packs} 个规则包的 {rules} 条规则重新得出 {count} 项结论",
    ),
    "listed": ("{count} matters", "{count} 项"),
}

UNCHECKED: Words = {
    "feeds": (
        (
            "That no recording tool skipped a number between the entries shown: only the whole ledger shows it "
            "(its sequencer, fsck and monitors check it)."
        ),
        "所示记录之间采集工具是否跳号：仅凭整个账本方可得知（由定序器、fsck 与监测方核验）。",
    ),
    "other_streams": (
        "Anything in other cases and streams of this ledger.",
        "本账本其他案件与流中的任何内容。",
    ),
    "other_shards": (
        "That the administrative entries of the ledger's other shards say the same.",
        "账本其他分片的管理记录是否一致。",
    ),
    "later": (
        "What was recorded after {sealed}.",
        "{sealed} 之后所记录的内容。",
    ),
    "clock": (
        "How old the bundle is today: no clock was read, because no --at was given.",
        "证据包距今多久：未给出 --at，因此未读取任何时钟。",
    ),
    "age": (
        "The age limit of the trust file: it needs --at.",
        "信任文件的期限要求：需要 --at。",
    ),
    "memory": (
        "That the ledger agrees with an earlier state: no state file was given.",
        "账本是否与先前状态一致：未提供状态文件。",
    ),
    "unlinked": (
        "That the remembered state at size {size} is a beginning of this one: the witnesses' word was taken.",
        "所记规模 {size} 的状态是否为本状态的开端：采信见证方。",
    ),
    "witnesses": (
        "That the ledger shows everybody the same history: no witness is asked for.",
        "账本对所有人出示的历史是否相同：未要求见证。",
    ),
    "auditors": (
        "That no later entry of these streams exists as of the seal: the operator's word alone, no auditor is asked for.",
        "截至封印这些流是否另有记录：仅凭运营方之言，未要求审计。",
    ),
    "closed_fields": (
        (
            "The content of {count} protected field(s) that were not opened. Whether a value was withheld or has "
            "been erased cannot be told from here."
        ),
        "未公开的 {count} 个受保护字段的内容。此处无法区分是未提供还是已被删除。",
    ),
    "cipher": (
        "That the ciphertexts of protected fields open to the committed values: the verifier holds no key.",
        "受保护字段的密文能否解出所承诺的值：验证程序不持有密钥。",
    ),
    "evidence": (
        "The recordings, letters and other files behind {count} digest(s) in the case: compare each file's SHA-256.",
        "本案 {count} 个摘要所指的录音、信函等文件：请自行比对各文件的 SHA-256。",
    ),
    "rules": (
        "Any rule of conduct: no rule was evaluated, and the bundle claims no finding.",
        "任何催收行为规则：未评估任何规则，证据包亦未主张任何结论。",
    ),
    "unproved": (
        "What the rules say of this case: something else in the bundle contradicts already.",
        "规则对本案的结论：证据包中另有内容已互相矛盾。",
    ),
    "leaned_on": (
        (
            "Streams of staff, agencies and outside counts that are not in the bundle: a rule that needs one of them says "
            "that evidence is missing, and a cap that only an outside count would call into doubt is found followed."
        ),
        "不在证据包内的人员、机构与外部计数流：需要它们的规则结论为证据不足；仅外部计数才会存疑的次数上限，结论为符合。",
    ),
    "tzdata": (
        "The zones and holidays with which the findings were made, {theirs}: this verifier has {ours}, and finds the same.",
        "得出结论所用的时区与节假日数据 {theirs}：本验证程序为 {ours}，结论相同。",
    ),
    "packs": (
        "Rule packs adopted by the ledger and not in the bundle: {names}.",
        "账本已采纳但不在证据包内的规则包：{names}。",
    ),
    "registrars": (
        "Who the registrars are: the trust file pins none, so those of the founding entry were taken.",
        "登记员为何人：信任文件未指定，故采用创立记录所列者。",
    ),
    "one_registrar": (
        "A second pair of eyes on administrative entries: one approval is enough in this ledger.",
        "管理记录的双人复核：本账本一人批准即可。",
    ),
    "quarantine": (
        "What the two contradicting events of producer {names} were: one number was used for two events.",
        "工具 {names} 的两个相互矛盾的事件内容：同一序号用于两个事件。",
    ),
    "everything": (
        "Everything after the step that failed.",
        "未通过步骤之后的一切。",
    ),
}

NON_PROMISES: Words = {
    "N1": (
        "An act that no tool ever handed over for recording leaves no trace here.",
        "从未交给记录工具的行为，在此不留任何痕迹。",
    ),
    "N2": (
        "A signature shows who said something and that it was not changed; not that it was true.",
        "签名只表明何人所言且未经改动，不表明其内容真实。",
    ),
    "N3": (
        "If the operator, enough witnesses and a tool all conspire, they can tell a false story together.",
        "若运营方、足够多的见证方与工具串通，可共同编造虚假情节。",
    ),
    "N4": (
        "Times are bounds set by several clocks, not the exact instant of an act.",
        "时间为多个时钟给出的界限，并非行为的确切瞬间。",
    ),
    "N5": ("What was erased stays erased; only its proof remains.", "已删除的内容不可恢复，仅存其证明。"),
    "N6": (
        "If every copy of the ledger is destroyed, that can be noticed, and not repaired.",
        "若账本全部副本被毁，可以发现，但无法复原。",
    ),
    "N7": (
        "A machine that was taken over before it signed can sign falsehoods.",
        "签名前即被侵入的机器可签署虚假内容。",
    ),
    "N8": (
        "A log on a single broker, or a disk that lies about writing, can lose what it confirmed.",
        "单节点日志或谎报写入的磁盘，可能丢失其已确认的内容。",
    ),
}

LABELS: Words = {
    "title": ("Verification of a bundle of evidence", "证据包验证报告"),
    "VERIFIED": ("VERIFIED", "已验证（VERIFIED）"),
    "REJECTED": ("REJECTED", "已否定（REJECTED）"),
    "UNVERIFIABLE": ("UNVERIFIABLE", "无法判定（UNVERIFIABLE）"),
    "ERROR": ("NOT JUDGED", "未作判断（ERROR）"),
    "VERIFIED_means": (
        "Every check was made, and nothing contradicts.",
        "已完成全部核验，未发现矛盾。",
    ),
    "REJECTED_means": (
        (
            "Something in this file contradicts something else in it, or what the reader trusts. "
            "Nothing in it should be relied upon."
        ),
        "文件内容互相矛盾，或与读者所信任的内容矛盾。不应采信其中任何内容。",
    ),
    "UNVERIFIABLE_means": (
        "Nothing contradicts, but something that is needed for a verdict is missing, too old or too new. This accuses nobody.",
        "未发现矛盾，但作出判断所需的内容缺失、过旧或过新。此结论不指责任何人。",
    ),
    "ERROR_means": (
        "No verdict was reached. This says nothing about the bundle, and it is not a pass.",
        "未得出结论。这不说明证据包的任何情况，也不表示通过。",
    ),
    "operator_only": (
        "Only the operator of the ledger vouches for this.",
        "仅账本运营方为此作保。",
    ),
    "proved": ("What is proved", "已证明的事项"),
    "says_entries": (
        "The case {case} holds exactly these {count} entries, unchanged and in this order, in the ledger {origin}.",
        "案件 {case} 在账本 {origin} 中恰有以下 {count} 条记录，内容与次序均未改动。",
    ),
    "says_none": (
        "No entry of the case {case} exists in the ledger {origin}.",
        "账本 {origin} 中不存在案件 {case} 的任何记录。",
    ),
    "says_operator": (
        "That there is no further entry rests on the operator's word alone.",
        "无其他记录一节仅凭运营方之言。",
    ),
    "says_auditor": (
        "That there is no further entry was checked by {names}, who replayed the whole ledger.",
        "无其他记录一节由 {names} 重放整个账本后核验。",
    ),
    "as_of": ("As of", "截至"),
    "as_of_value": (
        "{sealed} (by the ledger's clock), size {size}",
        "{sealed}（账本时钟），规模 {size}",
    ),
    "vouch": ("Who vouches", "作保方"),
    "role_log": ("ledger operator", "账本运营方"),
    "role_witness": ("witness", "见证方"),
    "role_auditor": ("auditor", "审计方"),
    "voucher": ("{name} ({role})", "{name}（{role}）"),
    "voucher_at": ("{name} ({role}), at {at}", "{name}（{role}），时间 {at}"),
    "entries": ("Entries", "记录数"),
    "entries_value": (
        "{case} in the case, {all} in the bundle; {signatures} signatures checked",
        "本案 {case} 条，证据包共 {all} 条；核验签名 {signatures} 个",
    ),
    "span": ("Recorded between", "记录时间范围"),
    "span_value": ("{first} and {last}", "{first} 至 {last}"),
    "fields": ("Protected fields", "受保护字段"),
    "fields_value": ("{opened} opened, {closed} not opened", "公开 {opened} 项，未公开 {closed} 项"),
    "approvals": ("Approvals needed", "所需审批"),
    "approvals_value": ("{threshold} of {count} registrars", "{count} 名登记员中的 {threshold} 名"),
    "root": ("Root hash", "根摘要"),
    "bundle": ("Bundle SHA-256", "证据包 SHA-256"),
    "bundle_bytes": ("{bytes} bytes", "{bytes} 字节"),
    "trust": ("Trust file SHA-256", "信任文件 SHA-256"),
    "identity": ("What was judged", "所判断的文件"),
    "errors": ("Why", "原因"),
    "warnings": ("To be noted", "注意事项"),
    "unchecked": ("What was not checked", "未核验的事项"),
    "promises": ("What no verification of this kind can show", "此类验证无法证明的事项"),
    "checks": ("Checks, by number", "逐项核验"),
    "outcome_done": ("done", "完成"),
    "outcome_failed": ("failed", "未通过"),
    "outcome_undecided": ("undecided", "无法判定"),
    "outcome_not done": ("not done", "未执行"),
    "col_step": ("No.", "序号"),
    "col_check": ("Check", "核验项"),
    "col_outcome": ("Outcome", "结果"),
    "col_why": ("Found, or why not", "所见或原因"),
    "timeline": ("The entries of the case", "案件记录"),
    "timeline_note": (
        (
            "Evidence: what recording tools said, as they signed it. Times are UTC; the debtor's own clock stands below "
            "them where it is known. Text in quotation marks was written by others; it is shown, not endorsed. Amounts "
            "count the smallest unit of their currency."
        ),
        "以下为证据：采集工具所签署的原文。时间为协调世界时（UTC），已知债务人所在时区时其下为当地时间。引号内文字为他人所写，仅作展示，不代表认可。金额以货币最小单位计。",
    ),
    "col_index": ("Entry", "编号"),
    "col_time": ("Happened (claimed)", "发生时间（自称）"),
    "col_sequenced": ("Recorded in the ledger", "入账时间"),
    "col_type": ("What", "事项"),
    "col_actor": ("By whom", "行为人"),
    "col_data": ("Content", "内容"),
    "not_disclosed": ("[protected, not opened]", "［受保护，未公开］"),
    "true": ("yes", "是"),
    "false": ("no", "否"),
    "more": ("… ({count} more characters)", "……（另有 {count} 个字符）"),
    "streams": ("Streams, each whole", "完整的流"),
    "col_stream": ("Stream", "流"),
    "col_count": ("Entries", "记录数"),
    "corrects": ("corrects", "更正"),
    "late": ("captured {time}", "采集于 {time}"),
    "made_by": (
        (
            "Made by duecourse verify {version} from the bundle and trust file named here. Verify the bundle again "
            "rather than trusting this page."
        ),
        "由 duecourse verify {version} 根据此处所列证据包与信任文件生成。请重新验证证据包，而非仅凭本页。",
    ),
    "findings": ("What the rules say", "规则结论"),
    "findings_note": (
        (
            "Made again by this verifier from the entries and the rule packs that the ledger adopted; what the bundle "
            "claimed was the same. A rule's text stands in quotation marks: it is the pack's, not ours. No finding is "
            "legal advice."
        ),
        "由本验证程序根据记录和账本采纳的规则包重新得出，与证据包所称一致。引号内为规则包原文。规则结论不构成法律意见。",
    ),
    "findings_none": (
        "No rule finds anything to be looked at.",
        "没有需要关注的规则结论。",
    ),
    "says_findings": ("By the rule packs {packs}: {counts}.", "依规则包 {packs}：{counts}。"),
    "says_count": ("{outcome}: {count}", "{outcome} {count} 项"),
    "col_finding": ("Outcome", "结论"),
    "col_rule": ("Rule", "规则"),
    "col_when": ("About", "所涉记录"),
    "col_because": ("Because", "原因"),
    "about_entry": ("entry {index}", "第 {index} 条"),
    "rests_on": ("Rests on {entries}", "所依据的条目：{entries}"),
    "local": ("{time} in {zone}", "{zone} 当地时间 {time}"),
    "grade": ("grade {grade}: {meaning}", "依据等级 {grade}：{meaning}"),
    "reading_first": ("as first recorded, before corrections", "按首次记录，未计更正"),
    "reading_today": ("by the version of the rule that holds today", "按现行版本的规则"),
    "followed": ("Rules that are followed", "已符合的规则"),
    "followed_note": (
        "For how many events of the case each rule is followed, and to how many it does not apply.",
        "各规则对本案多少事件结论为符合，对多少事件不适用。",
    ),
    "col_passed": ("Followed", "符合"),
    "col_outside": ("Does not apply", "不适用"),
    "rule_packs": ("Rule packs", "规则包"),
    "pack_shipped": (
        "{rules} rules, the pack of this name that comes with the verifier, to the byte",
        "{rules} 条规则，与本验证程序附带的同名规则包逐字节相同",
    ),
    "pack_changed": (
        "{rules} rules, NOT the pack of this name that comes with the verifier: read what it says",
        "{rules} 条规则，与本验证程序附带的同名规则包不同：请查阅其内容",
    ),
    "pack_own": (
        "{rules} rules, a pack of the house's own: read what it says",
        "{rules} 条规则，为机构自有规则包：请查阅其内容",
    ),
    "pack_binding": ("binding beside the law: {rules}", "除法律外有约束力：{rules}"),
    "pack_advice": ("nothing in it binds beside the law", "除法律外均无约束力"),
    "more_findings": (
        "… and {count} more, in the JSON of this verdict",
        "……另有 {count} 项，见本结论的 JSON",
    ),
    "skip": ("Skip to the evidence", "跳至证据"),
    "evidence": ("Evidence", "证据"),
    "verdict": ("Verdict", "结论"),
    "none": ("none", "无"),
    "colon": (": ", "："),
    "opening": (" (", "（"),
    "closing": (")", "）"),
    "list_separator": (", ", "、"),
}


def text(words: Words, lang: Lang, key: str, given: Iterable[tuple[str, str]] = ()) -> str:
    """The sentence `key` in `lang`, its blanks filled. Blanks are replaced, not formatted: what fills them is data."""
    sentence = words[key][LANGUAGES.index(lang)]
    pieces = dict(given)
    out: list[str] = []
    rest = sentence
    while True:
        before, brace, rest = rest.partition("{")
        out.append(before)
        if not brace:
            return "".join(out)
        name, _, rest = rest.partition("}")
        out.append(pieces[name])


def code(lang: Lang, key: str) -> str:
    return text(CODES, lang, key)


def step(lang: Lang, key: str) -> str:
    return text(STEPS, lang, key)


def reason(lang: Lang, key: str, given: Iterable[tuple[str, str]] = ()) -> str:
    return text(REASONS, lang, key, given)


def unchecked(lang: Lang, key: str, given: Iterable[tuple[str, str]] = ()) -> str:
    return text(UNCHECKED, lang, key, given)


def label(lang: Lang, key: str, **given: str) -> str:
    return text(LABELS, lang, key, given.items())
