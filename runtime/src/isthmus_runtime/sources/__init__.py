"""Sources: where the messages of a Route come from.

A source writes what it finds into the journal, and only then says so to whoever gave it: a webhook
answers 2xx, a schedule has fired, a poll moves its watermark. What happens to messages after that
is the business of `delivery`.

    source ◀ webhook, schedule, poll (pages), fed
"""
