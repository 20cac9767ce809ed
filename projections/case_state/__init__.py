"""Where a case stands: stage, debts, holds, plan, last contact; now or at any past index."""
