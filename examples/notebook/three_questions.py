# %% [markdown]
# # Three questions to a ledger
#
# What `duecourse extract LEDGER --format parquet -o ledger.parquet` wrote, asked with DuckDB: nothing to load, nothing to
# install but `pip install duckdb`. One row is one event as it stands today: what was corrected shows as it was last
# corrected, what was voided is not there. Times are UTC; amounts count the smallest unit of their currency; protected
# fields are named in `protected` and are not in the file.
#
# The answers below are those of a real log, the road traffic fines of `docs/importing.md`.

# %%
import os

import duckdb

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.read_parquet(os.environ.get("PARQUET", "ledger.parquet")).create_view("events")
db.sql(
    "SELECT COUNT(*) AS events, COUNT(DISTINCT case_id) AS cases, MIN(time) AS first, MAX(time) AS last FROM events"
).show()

# %% [markdown]
# ## 1. What happens, and in how many cases?

# %%
db.sql("""
    SELECT
        type,
        COUNT(*) AS events,
        COUNT(DISTINCT case_id) AS cases,
        ROUND(100.0 * COUNT(DISTINCT case_id) / (SELECT COUNT(DISTINCT case_id) FROM events), 1) AS percent_of_cases
    FROM events
    GROUP BY type
    ORDER BY events DESC, type
""").show(max_rows=60)

# %% [markdown]
# ## 2. How long from the first contact to the first payment?
#
# Whole days, over the cases in which somebody was written to or called before any money came. The others either paid
# before they were asked, or have not paid.

# %%
db.sql("""
    WITH cases AS (
        SELECT
            case_id,
            MIN(time) FILTER (type IN ('contact.call_placed', 'contact.message_sent', 'contact.visit_made')) AS contacted,
            MIN(time) FILTER (type = 'payment.received') AS paid
        FROM events
        GROUP BY case_id
    )
    SELECT
        COUNT(*) AS cases,
        COUNT(*) FILTER (paid < contacted OR (paid IS NOT NULL AND contacted IS NULL)) AS paid_unasked,
        COUNT(*) FILTER (paid >= contacted) AS paid_after_contact,
        COUNT(*) FILTER (paid IS NULL) AS not_paid,
        MEDIAN(DATE_DIFF('day', contacted, paid)) FILTER (paid >= contacted) AS median_days,
        QUANTILE_DISC(DATE_DIFF('day', contacted, paid), 0.9) FILTER (paid >= contacted) AS nine_in_ten_within_days
    FROM cases
""").show()

# %% [markdown]
# ## 3. What is still owed, by stage?
#
# For each debt what it was itemised at last, and what was charged, waived and paid after that. `allocation` is a list, so
# it stands in `more`, as JSON.

# %%
db.sql("""
    WITH itemised AS (
        SELECT case_id, debt, currency, principal + interest + fees AS amount, case_seq
        FROM events
        WHERE type = 'debt.itemised'
        QUALIFY ROW_NUMBER() OVER (PARTITION BY case_id, debt ORDER BY case_seq DESC) = 1
    ),
    parts AS (
        SELECT case_id, case_seq, UNNEST(FROM_JSON(more->'allocation', '[{"debt": "VARCHAR", "amount": "BIGINT"}]')) AS part
        FROM events
        WHERE type = 'payment.received'
    ),
    moved AS (
        SELECT
            case_id, debt, case_seq,
            CASE WHEN kind IN ('waiver', 'reduction') THEN -amount
                 WHEN kind IN ('fee_stop', 'interest_stop') THEN 0
                 ELSE amount END AS amount
        FROM events
        WHERE type = 'debt.adjusted'
        UNION ALL
        SELECT case_id, part.debt, case_seq, -part.amount FROM parts
    ),
    owed AS (
        SELECT i.case_id, i.currency, i.amount + COALESCE(SUM(m.amount), 0) AS amount
        FROM itemised i
        LEFT JOIN moved m ON m.case_id = i.case_id AND m.debt = i.debt AND m.case_seq > i.case_seq
        GROUP BY i.case_id, i.debt, i.currency, i.amount
    ),
    stages AS (
        SELECT case_id, ARG_MAX(CASE type WHEN 'case.closed' THEN 'closed' ELSE stage END, case_seq) AS stage
        FROM events
        WHERE type IN ('case.registered', 'case.stage_changed', 'case.closed')
        GROUP BY case_id
    )
    SELECT
        stage,
        currency,
        COUNT(DISTINCT case_id) AS cases,
        COUNT(DISTINCT case_id) FILTER (amount > 0) AS cases_that_owe,
        SUM(amount)::BIGINT AS owed_in_minor_units
    FROM owed JOIN stages USING (case_id)
    GROUP BY stage, currency
    ORDER BY stage, currency
""").show()
