"""The words for types, members and codes, English and Chinese, as tables for `terms.py`.

A line of `CODES` is a family: its name, its Chinese name, then each code with its Chinese name. A line of
the other tables is a name and its Chinese name, then, after `|`, an English name where the name itself
would not do."""

from __future__ import annotations

from typing import Final

TYPES: Final = """
case.registered 登记 | case registered
case.assigned 分派 | case assigned
case.stage_changed 阶段变更 | stage changed
case.closed 结案 | case closed
debt.itemised 债务明细 | debt itemised
debt.adjusted 调整减免 | debt adjusted
debt.transferred 债权转让 | debt transferred
party.contact_point_changed 联系方式变更 | contact point changed
party.status_changed 身份状态变更 | status of a person changed
party.preference_recorded 偏好登记 | preference recorded
consent.recorded 同意记录 | consent recorded
identity.verified 核身 | identity checked
contact.call_placed 外呼 | call placed
contact.conversation_held 通话或面谈 | conversation held
contact.message_sent 发送消息 | message sent
contact.delivery_status 送达状态 | delivery status
contact.inbound_received 来电来信 | inbound contact
contact.visit_notified 上门预告 | visit announced
contact.visit_made 上门 | visit made
contact.third_party 联系第三人 | third person contacted
disclosure.given 告知 | disclosure given
hardship.declared 困难申报 | hardship declared
document.exchanged 材料往来 | document exchanged
hardship.assessed 困难评估 | hardship assessed
plan.proposed 方案提出 | plan proposed
plan.decided 方案决定 | plan decided
plan.agreed 方案签订 | plan agreed
plan.breached 方案违约 | plan broken
payment.promised 承诺还款 | payment promised
payment.received 还款 | payment received
dispute.raised 提出异议 | dispute raised
dispute.answered 异议答复 | dispute answered
cease.requested 要求停止 | stop requested
complaint.received 投诉 | complaint received
complaint.resolved 投诉办结 | complaint settled
hold.started 暂停开始 | hold begins
hold.ended 暂停解除 | hold ends
agency.engaged 委托机构 | agency engaged
agency.reviewed 机构评估 | agency reviewed
staff.qualified 人员资质 | staff qualified
legal.step_taken 法律动作 | step at law
credit.reported 征信报送 | reported to a credit file
conduct.reviewed 质检 | conduct reviewed
incident.reported 重大事件 | incident reported
data.handled 数据处理 | personal data handled
source.counted 外部对账 | compared with an outside count
ledger.founded 账本设立 | ledger founded
ledger.registrars_changed 登记员变更 | registrars changed
ledger.pack_adopted 采用规则包 | rule pack adopted
ledger.schema_released 发布模式 | schema released
ledger.clock_corrected 时钟校正 | clock corrected
ledger.producer_registered 来源系统登记 | producer registered
ledger.producer_scope_changed 来源系统范围变更 | producer's scope changed
ledger.producer_key_added 来源系统增加密钥 | producer's key added
ledger.producer_key_retired 来源系统密钥停用 | producer's key retired
ledger.producer_key_revoked 来源系统密钥吊销 | producer's key revoked
ledger.producer_epoch_opened 来源系统新纪元 | producer's epoch opened
ledger.quarantine_lifted 解除隔离 | quarantine lifted
ledger.equivocation_seen 发现自相矛盾 | producer contradicted itself
ledger.submission_rejected 提交被拒 | submission rejected
ledger.sealed 封存 | sealed
"""

MEMBERS: Final = """
about 相关事件 | about event
accepted 已受理摘要
action 动作
address 号码或地址
agency 机构
allocation 还款分配
amount 金额
answer 答复
approvals 批准签名
asked_to_leave_at 被要求离开时刻 | asked to leave at
at 位置
authority 权限
automated 自动化
basis 联系依据
binding 约束性规则 | binding rules
blocks 暂停事项
by 提出方
bytes 字节数
call 对应外呼
callback_rate 回拨资费
can_pay 每月可还 | can pay a month
capacities 身份 | capacities
capacity 每月还款能力 | capacity a month
captured 取证时间
category 类别
causes 困难原因
certificate_no 证书编号 | certificate number
charged_off_on 核销日期 | charged off on
cleared 已结清债务 | debts paid in full
code 代码
codes 认定行为 | conduct found
complaint 对应投诉
confirms 确认的事件
consent 对应同意
contact 对应联系
contact_allowed 可否联系
contact_point 联系方式
contact_points 联系方式
content 内容项
contract_from 合同起始日
contract_to 合同截止日
corrective 整改
court 法院代码
currency 币种
data_returned_on 数据返还日
day 日期
days 星期
deadline 截止日
debt 债务
debts 债务
decision 决定
demanded 是否催收 | payment demanded
detected 发现时间
digest 摘要
direction 方向
dispute 对应异议
disputed 是否标注异议 | marked as disputed
due_on 到期日
duplicate_of 重复于 | repeats
duration_ms 时长（毫秒） | duration, ms
effective 生效日
entered 进入方式
envelope 信封外观
epoch 纪元
event 事件
evidence 证据
expires 截止日
extends 延长的暂停 | prolongs
fees 费用
fields 数据项 | kinds of data
first_due_on 首期到期日 | first instalment
form 形式
format 格式
forum 投诉渠道
found 账本内数量 | found in the ledger
found_by 认定者
from 起始
from_min 起始分钟 | from minute
given_in 作出同意的联系
given_to 同意对象
grace_ends_on 宽限期末日 | grace ends on
grounds 异议理由
hold 对应暂停
id 编号
in_reply_to 答复的事件
initiated_by 发起方
interest 利息
is_reserved 是否预留联系方式 | reserved with the bank
is_work 是否单位联系方式 | at work
item 征信事项
itemised_on 明细基准日
items 所含项目
key 公钥 | public key
kind 种类
kinds 告知种类
language 语言
last_day 末日（含） | last day
last_due_on 末期到期日 | last instalment
last_seq 最后序号
late_reason 迟报原因
limitation_on 时效届满日 | limitation, last day
line 线路
listed_from 名单公布起始日
listed_to 名单公布截止日
location_known 已知下落
log_key 日志公钥 | log key
media 渠道
media_type 媒体类型
medium 渠道
message 对应消息
method 方式
months 月数
name 名称
notice 对应通知
notified 已通知
optout_for 退订所指联系方式 | way to opt out speaks of
optout_present 含退订方式 | way to opt out given
origin 案件来源
original_creditor 原债权人
other 另一摘要
outcome 结果
parties 当事人
party 当事人
pay_model 薪酬模式
payer 付款人
period_ends_on 期限截止日
period_from 期间起始日
period_to 期间截止日
place 居住地
place_kind 地点
places 居住地
plan 方案
plan_justified 符合个性化分期条件
policies 适用制度
posted_on 邮戳日期
predecessor 前身日志
prev 前一条目
principal 本金
product 产品
purpose 目的
reason 原因
reasons 理由
reassigned_checked_at 号码转让核查时间 | reassigned numbers checked at
recipient_agency 接收机构
recording 录音
records 涉及记录
redress 赔偿
refused 拒绝联系
registrars 登记员
relation 与债务人关系 | relation to the debtor
request 请求
requester 请求人
result 结果
role 角色
root 根
said 说了什么
sample 抽样
schema 模式
scope 范围
sent 已发材料
seq 序号
sha256 SHA-256
shard 分片
shards 分片数
signature 签名
signed_by 签署人
since 自
size 大小
source 来源
source_ref 来源系统编号 | the tool's own id
staff 人员
staff_action 对人员处理
stage 阶段
starts 起始时刻
stated 对方数量 | stated by the provider
status 状态
summary 摘要
template 模板
tenants 租户
threshold 门槛人数
to 收件人
to_agency 接案机构
to_min 截止分钟 | to minute
total 总额
transferee 受让人
trigger_on 触发日期 | trigger date
types 类型
unit 计量
until 截止时刻
valid_from 起始日
valid_to 截止日
vault_key 保险库公钥 | vault key
venue_basis 管辖依据
version 版本
visibility 可见范围
visit_on 上门日期
void 作废
waiver 减免额
wants_callback 要求回电
willingness 还款意愿
windows 时段
withdraws 撤回的偏好
wording 同意措辞
words 原话
zone 时区
zone_source 时区依据
zones 可能所在时区
"""

CODES: Final = """
zone_source 时区依据: residence 住址, statement 本人陈述, number_prefix 号码归属, delivery_address 送达地址
role 当事人角色: debtor 债务人, co_debtor 共同债务人, guarantor 担保人, representative 有权代表人,
    attorney 律师, adviser 债务顾问, contact_person 联系人, household 同住人, employer 单位,
    creditor_side 债权方, bureau 征信机构, other 无关第三人
evidence_kind 证据种类: recording 录音录像, message_copy 消息副本, letter_scan 信件扫描,
    delivery_proof 送达凭证, signed_document 签署文件, page_capture 页面截图, certificate 证书,
    contract 合同, impact_assessment 影响评估, statement 对账单, form 表单, photo 照片, other 其他
late_reason 迟报原因: offline 离线, batch 批量报送, manual_entry 人工补录, fault 系统故障,
    agency_late 机构迟报, correction 更正, backfill 历史导入, other 其他
line 线路: registered 登记线路, private 私人号码或账号
origin 案件来源: own 自营, placed 委托, purchased 受让
stage 阶段: registered 登记, overdue 逾期催收, entrusted 委外, litigation 诉讼, closed 结案
policy_kind 制度: arrears 欠款处理, vulnerable 脆弱客户
reason_close 结案原因: paid 结清, plan_done 分期履行完毕, settled 和解, sold 转让, written_off 核销,
    barred 时效届满, wrong_person 非本人, other 其他
product 产品: credit_card 信用卡, consumer_loan 消费贷, overdraft 透支, store_card 商户卡, mortgage 按揭,
    utility 公用事业, other 其他
adjust_kind 调整: waiver 减免, reduction 调减, fee_stop 停费, interest_stop 停息, fee_charge 计收费用,
    interest_charge 计收利息, correction 更正
authority 权限: staff 经办, supervisor 主管, committee 委员会, court 法院, statute 法定
point_action 动作: add 新增, verify 核实, invalidate 作废
medium 渠道: voice 电话, sms 短信, email 邮件, im 即时通讯, letter 信函, social 社交平台, app 应用内,
    visit 上门
point_source 联系方式来源: contract 合同, reserved 预留, authorised 授权, public 公开渠道,
    told 预留联系人告知, bureau 征信等, inbound 本人来电来信, creditor_file 债权方档案,
    number_search 号码查询
contact_allowed 可否联系: all 可, representative_only 仅代表人, none 不可, review 须人工
status 身份状态: deceased 死亡, minor 未成年, incapacity 无行为能力, vulnerable 脆弱, represented 已委托,
    bankrupt 破产, none 恢复
pref_kind 偏好: avoid_time 避开时段, only_time 仅限时段, avoid_place 避开地点, avoid_medium 避开渠道,
    work_prohibited 单位不许, busy_now 此刻不便
place_kind 地点: home 住所, workplace 单位, branch 网点, court 法院, public 公共场所, other 其他
weekday 星期: mon 周一, tue 周二, wed 周三, thu 周四, fri 周五, sat 周六, sun 周日
form 形式: oral 口头, written 书面, electronic 电子
consent_action 同意动作: grant 同意, renew 续期, withdraw 撤回
consent_scope 同意范围: hours 时段, calls 次数, text 短信, email 邮件, im 即时通讯, workplace 单位,
    third_party 第三人, direct_contact 直接联系, esign 电子签署, data_sharing 数据共享
given_to 同意对象: creditor 债权人, collector 催收方
verify_method 核身方式: questions 问答, code 验证码, document 证件, callback 回拨, biometric 生物识别,
    authority_document 授权文件, other 其他
verify_result 核身结果: confirmed 本人, failed 未通过, not_the_person 非本人, refused 拒绝核身
call_purpose 外呼目的: interactive 交互, notification 通知, locate 查找, legal 法律, service 服务
call_outcome 外呼结果: answered 接通, answered_other 他人接听, voicemail_left 已留言,
    voicemail_reached 可留言未留, voicemail_full 信箱满, no_answer 无人接, busy 忙, declined 拒接,
    not_in_service 空号停机, unreachable 关机无信号, dropped 接通后掉线, failed 未呼出
initiator 发起方: creditor_side 我方, party 对方
recording 录音: made 已录, failed 失败, refused 对方拒绝, none 未录
message_kind 消息种类: reminder 还款提醒, due_reminder 分期到期提醒, demand 催收, offer 方案或营销,
    reply 答复, optout_confirmation 退订确认, consent_request 征求同意, agency_notice 委外告知,
    assignment_notice 债权转让通知, validation_notice 债务验证通知, verification 核实材料,
    substantiation 债务证明材料, substantiation_instructions 索取证明说明, collection_ended 停止催收告知,
    may_invoke_remedy 可能采取救济措施, will_invoke_remedy 将采取救济措施, statutory_notice 法定通知,
    legal_letter 律师函, plan_document 分期协议, complaint_notice 投诉告知, privacy_notice 隐私告知,
    breach_notice 泄露告知, credit_notice 报送告知, other 其他
content 内容项: debtor_name 债务人姓名, balance 欠款余额, reason_law 事由及法律依据, rights_duties 权利义务,
    query_route 查询途径, pay_route 还款途径, objection_route 异议途径, evidence_route 举证途径,
    contact 联系方式, seal 公章, itemisation 明细, creditor_name 债权人名称, collector_name 催收方名称,
    collector_address 催收方地址, debtor_address 债务人地址, account_ref 账户参考号,
    current_amount 当前金额, rights 权利说明, prompts 回执选项, barred_notice 时效届满告知,
    pressure 施压用语, suit_threat 起诉威胁
visibility 可见范围: private 仅本人, contacts 好友可见, public 公开
envelope 信封外观: marked_private 标明私人信件, debt_visible 外露债务信息, sender_discreet 寄件人不显催收,
    postcard 明信片
callback_rate 回拨资费: free 免费, normal 普通, premium 高额
delivery 送达状态: accepted 已受理, delivered 送达, read 已读, signed 签收, bounced 退信, returned 退回,
    refused 拒收, failed 失败
inbound_summary 来访摘要: question 咨询, promise 承诺还款, dispute 异议, hardship 困难, complaint 投诉,
    stop 要求停止, callback 要求回电, payment 还款, wrong_person 非本人, other 其他
visit_purpose 上门目的: discuss 协商, deliver 送达, verify 核实
entered 进入方式: no 未进入, by_consent 经同意, by_order 依法令, without_consent 未经同意
third_purpose 第三人联系目的: locate 查找, pass_message 转告, volunteer_payment 自愿代偿, ended 误触即止
said 说了什么: own_name 本人姓名, firm_name 机构名称, firm_asked 对方问及机构, callback_number 回电号码,
    debt 债务, amount 金额, default 逾期, other 其他
third_basis 联系依据: contact_invalid 号码失效, dials_failed 连续拨打未接, days_unreachable 连日失联,
    person_status 本人状态, invited 对方要求, earlier_answer_wrong 此前答复有误, none 无依据
disclosure_kind 告知种类: identity 机构身份, agency_identity 外包机构名称, collector_warning 催收身份告知,
    collector_again 再次表明催收, debt_details 债务细节, opt_out 退订方式, recording_notice 录音告知,
    validation 债务验证, right_to_object 异议权, transfer 转让, privacy 隐私,
    automated_decision 自动化决策说明
hardship_cause 困难原因: illness 疾病, bereavement 丧亲, unemployment 失业, income_drop 收入下降,
    disaster 灾害, family 家庭变故, other 其他
willingness 还款意愿: willing 愿还, unwilling 不愿还, unclear 不明
direction 方向: from_party 来自当事人, to_party 致当事人, to_creditor 致债权人, from_creditor 来自债权人,
    to_agency 致机构, to_authority 致主管机关
document_kind 材料: hardship_proof 困难证明, identity_proof 身份证明, payment_proof 还款凭证, offer 方案,
    dispute 异议, payment_advice 还款通知, contract 合同, statement 对账单, policy 制度, other 其他
proposer 提出方: party 当事人, creditor_side 债权方, adviser 债务顾问
plan_decision 方案决定: accept 接受, reject 拒绝, counter 反提方案
reason_plan 理由: terms 条件, too_low 金额过低, no_evidence 缺少证明, not_entitled 无权提出, policy 制度,
    other 其他
plan_item 协议必备项: balance 欠款结构币种, schedule 还款周期方式币种日期金额, charges 费用利息是否计收,
    no_new_card 不再申卡承诺, rights_duties 权利义务违约责任, other_terms 其他
pay_method 还款方式: transfer 转账, deduction 扣划, card 刷卡, cash 现金, court 法院, other 其他
payer 付款人: debtor 债务人, guarantor 担保人, third_party 第三人
dispute_request 异议请求: dispute 异议, original_creditor 原债权人信息, substantiation 债务证明,
    credit_report 征信异议
ground 异议理由: identity 非本人债务, existence 债务不存在, amount 金额, paid 已还清, barred 时效届满,
    other 其他
dispute_outcome 异议结果: upheld 成立, partly 部分成立, rejected 不成立, duplicate 重复, withdrawn 撤回
sent_item 已发材料: verification 核实材料, original_creditor 原债权人信息, substantiation 债务证明,
    evidence 证据, reasons 理由
cease_scope 停止范围: all 全部, medium 渠道, place 地点, time 时段, refuse_to_pay 拒绝还款
forum 投诉渠道: collector 催收方, supervisor 主管, bank 银行, regulator 监管, consumer_association 消协,
    ombudsman 申诉专员, court 法院, legal_aid 法援
complaint_category 投诉类别: conduct 行为, amount 金额, identity 身份, privacy 隐私, third_party 第三人,
    hours 时段, fees 费用, service 服务, other 其他
complaint_outcome 处理结果: upheld 成立, partly 部分成立, rejected 不成立, withdrawn 撤回
staff_action 对人员处理: none 无, coached 辅导, moved 调岗, suspended 停职, dismissed 辞退
hold_kind 暂停种类: dispute 异议, plan_talks 协商中, plan 履约中, cease 要求停止, attorney 律师代理,
    adviser 债务顾问介入, moratorium 法定喘息, court_stay 法院中止, person 因本人状况, legal_hold 证据保全
blocks 暂停事项: contact 联系, demand 催收, enforcement 执行, charges 计费, credit_report 报送, erase 删除
hold_reason 暂停原因: standard_breathing 一般喘息, mental_crisis 精神危机, bankruptcy 破产,
    incapacity 无行为能力, vulnerable 脆弱, death 死亡, other 其他
pay_model 薪酬模式: salary 固定薪酬, mixed 混合薪酬, pure_commission 纯提成
review_result 评估结果: good 良好, fair 一般, poor 较差
review_action 评估措施: continue 继续合作, limit 限制合作, terminate 终止合作
qualification 资质: certificate 证书, training 培训, exam 考试, engagement 任用
legal_kind 法律动作: lawyer_letter 律师函, pre_action_notice 诉前通知, statutory_demand 法定催告,
    police_report 报案, filed 立案, served 送达, judgment 判决, enforcement 执行
venue_basis 管辖依据: contract_place 合同签订地, residence 住所地, property 财产所在地, other 其他
legal_reason 理由: no_response 无回应, no_agreement 未达成协议, plan_breached 方案违约, other 其他
credit_item 征信事项: delinquency 逾期, settlement 结清, correction 更正, deletion 删除
conduct 不当行为: false_authority 冒充公权, posed_as_bank 冒充银行, threat 威胁, abuse 辱骂, violence 暴力,
    fraud 欺骗, exaggeration 夸大后果, fake_blacklist 虚构黑名单, extra_fee 额外收费,
    induce_borrowing 诱导借贷, public_posting 公开张贴, privacy_leak 泄露隐私, private_phone 私人电话,
    pretext 借口, lump_sum 要求一次付清, short_time 期限过短, sell_property 逼卖财产,
    overshadowing 掩盖权利告知
found_by 认定者: person 人工, model 模型
sample 抽样: random 随机, targeted 定向, complaint 因投诉, all 全量
corrective 整改: none 无, coached 辅导, apology 道歉, case_moved 更换经办, discipline 处分
incident_kind 事件: conduct 行为, data 数据泄露, complaint_cluster 集中投诉, system 系统
notified 已通知: regulator 监管, person 本人, police 公安, creditor 债权人, association 行业协会
incident_item 通知内容: data_kinds 数据种类, cause 原因, harm 可能危害, remedy 补救措施,
    advice 自我防护建议, contact 联系方式
data_action 数据处理: access 查看, export 导出, disclose 提供, erase 删除, restrict 限制,
    verify_present 核验留存, audit 审计, request_received 收到请求, request_answered 答复请求
data_purpose 处理目的: collection 催收, complaint 投诉, quality 质检, legal 法律, audit 审计,
    subject_right 个人权利, retention 留存, entrustment 委托
data_field 数据项: identity 身份, contact 联系方式, debt 债务, recording 录音, hardship 困难情况,
    health 健康, location 位置, payment 还款, document 材料, all 全部
request_kind 请求种类: access 查阅, copy 复制, correct 更正, erase 删除, restrict 限制处理, object 拒绝处理,
    explain 解释说明
answer 答复: granted 准予, restricted 限制, refused 拒绝
answer_reason 答复理由: retention_period 留存期未满, legal_claim 法律主张, not_identified 未核实身份,
    third_party_rights 第三人权益, other 其他
unit 计量: call 通话, message 消息
"""

# English for codes that are no English words, wherever they stand, and for those that mean something else
# in a family.
ENGLISH: Final = {
    "sms": "SMS",
    "im": "instant message",
    "esign": "electronic signing",
    "app": "in the app",
    "adviser": "debt adviser",
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
    "recording.made": "recorded",
    "recording.none": "not recorded",
    "role.other": "unrelated third person",
    "status.none": "back to normal",
    "entered.no": "did not go in",
    "said.own_name": "own name",
    "said.firm_asked": "the firm was asked for",
    "third_purpose.ended": "ended at once",
    "third_basis.none": "none",
    "call_outcome.answered_other": "answered by another",
    "call_outcome.voicemail_reached": "voicemail reached, no message left",
    "call_outcome.voicemail_left": "message left on voicemail",
    "call_outcome.dropped": "dropped before anyone spoke",
    "call_outcome.failed": "never left the network",
    "point_source.told": "told by a reserved contact",
    "content.seal": "official seal",
    "hold_kind.person": "because of the person's situation",
    "hold_kind.moratorium": "statutory breathing space",
    "staff_action.none": "none",
}
