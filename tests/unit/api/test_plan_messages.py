"""Planning of Routes that take messages: what their sources, deliveries and feeds may say."""

import json
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml

from isthmus_api.model import Model, ObjectMeta
from isthmus_api.plan import Planned, RoutePlan, check, plan
from isthmus_api.problems import Code, Severity
from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key, Kind, Resource, Resources
from isthmus_api.route import RouteSpec

WEBHOOK = "{webhook: {path: /hooks, open: true}}"
CALL = "{call: {connector: erp, method: POST}}"
RESERVED = ("env", "message", "request", "route")


def resource(kind: Kind, name: str, spec: Any, namespace: str = "default") -> Resource[Model]:
    value = yaml.safe_load(spec) if isinstance(spec, str) else spec
    return Resource(
        key=Key(kind.name, namespace, name),
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=kind.spec.model_validate(value),
    )


def route(
    source: str = WEBHOOK, *steps: str, name: str = "r", namespace: str = "default", **spec: Any
) -> Resource[RouteSpec]:
    """A Route; steps and everything beside them in YAML."""
    value = {
        "source": yaml.safe_load(source),
        "steps": [yaml.safe_load(step) for step in steps or (CALL,)],
        **{key: yaml.safe_load(text) for key, text in spec.items()},
    }
    return cast(Resource[RouteSpec], resource(ROUTE, name, value, namespace))


def fed(by: str, name: str, *steps: str, **spec: Any) -> Resource[RouteSpec]:
    return route(f"{{route: {{name: {by}}}}}", *steps, name=name, **spec)


ERP = resource(CONNECTOR, "erp", "{http: {baseUrl: https://a.b}}")
PIM = resource(CONNECTOR, "pim", "{http: {baseUrl: https://a.b}}")


def planned(made: Resource[RouteSpec], *others: Resource[Model]) -> Planned:
    return plan(made, Resources.of([made, ERP, PIM, *others]))


def plan_of(made: Resource[RouteSpec], *others: Resource[Model]) -> RoutePlan:
    found = planned(made, *others)
    assert found.problems == ()
    assert found.plan is not None
    return found.plan


def poll(fields: str = "every: 5m", call: str = "{connector: pim}") -> str:
    return f"{{poll: {{call: {call}, {fields}}}}}"


KEY = "{name: shop, value: {secretKeyRef: {name: shop, key: key}}}"


def hook(fields: str) -> str:
    return f"{{webhook: {{path: /hooks, {fields}}}}}"


def signed(fields: str) -> str:
    secret = "{secretKeyRef: {name: shop, key: hook}}"
    return hook(f"verify: {{hmac: {{header: X-Signature, secret: {secret}, {fields}}}}}")


@dataclass(frozen=True)
class Wrong:
    """A Route that has one problem."""

    route: Resource[RouteSpec]
    code: Code
    field: str
    message: str
    hint: str
    others: tuple[Resource[Model], ...] = ()
    severity: Severity = Severity.ERROR


KEYED = "{key: '{% id %}'}"
NO_MEANING = (
    "has no meaning for an http source: its caller waits for the answer, and nothing is kept"
)
INSTEAD = "remove it, or take messages with a webhook source"
NO_CALLER = "nobody waits for an answer: this Route delivers messages"

WRONG = {
    "a Connector to poll that is not there": Wrong(
        route(poll(call="{connector: pmi}")),
        Code.CONNECTOR_NOT_FOUND,
        "spec.source.poll.call.connector",
        "there is no Connector 'pmi' in this namespace",
        "apply it, or name another one; there are: erp, pim",
    ),
    "a Route that is fed by none that is there": Wrong(
        fed("orders-in", "stock"),
        Code.ROUTE_NOT_FOUND,
        "spec.source.route.name",
        "there is no Route 'orders-in' in this namespace",
        "apply it, or name another one; there are: stock",
    ),
    "a Route that feeds itself": Wrong(
        fed("r", "r"),
        Code.ROUTE_CYCLE,
        "spec.source.route.name",
        "the Routes feed each other: r -> r",
        "messages would go round for ever; let one of them have another source",
    ),
    "Routes that feed each other": Wrong(
        fed("c", "a"),
        Code.ROUTE_CYCLE,
        "spec.source.route.name",
        "the Routes feed each other: a -> b -> c -> a",
        "messages would go round for ever; let one of them have another source",
        (fed("a", "b"), fed("b", "c")),
    ),
    "a Route that is fed by one that answers": Wrong(
        fed("search", "r"),
        Code.MISPLACED,
        "spec.source.route.name",
        "the Route 'search' answers its caller, so it feeds no other Route",
        "feed this Route from one that delivers message by message",
        (route("{http: {path: /a}}", "{respond: {}}", name="search"),),
    ),
    "a Route that is fed by one that delivers in batches": Wrong(
        fed("bulk", "r"),
        Code.MISPLACED,
        "spec.source.route.name",
        "the Route 'bulk' delivers in batches, whose result belongs to no single message",
        "feed this Route from one that delivers message by message",
        (route(name="bulk", delivery="{batch: {}}"),),
    ),
    "a minute that no clock has": Wrong(
        route("{schedule: {cron: '61 * * * *'}}"),
        Code.INVALID_VALUE,
        "spec.source.schedule.cron",
        "'61' in '61 * * * *' is no minute",
        "write *, a value, a list (1,2), a range (1-5), or one of them with a step (*/5); values "
        "are 0 to 59",
    ),
    "a day that no month has": Wrong(
        route(poll("cron: '0 0 31 4 *'")),
        Code.INVALID_VALUE,
        "spec.source.poll.cron",
        "'31' in '0 0 31 4 *' is no day-of-month",
        "write *, a value, a list (1,2), a range (1-5), or one of them with a step (*/5); values "
        "are 1 to 31 (days that a month named has), L or LW",
    ),
    "a time zone with a slip": Wrong(
        route("{schedule: {cron: '@daily', timeZone: Europe/Amsterdm}}"),
        Code.INVALID_VALUE,
        "spec.source.schedule.timeZone",
        "there is no time zone 'Europe/Amsterdm'",
        "did you mean Europe/Amsterdam?",
    ),
    "a time zone that is none": Wrong(
        route(poll("cron: '@daily', timeZone: q")),
        Code.INVALID_VALUE,
        "spec.source.poll.timeZone",
        "there is no time zone 'q'",
        "write it like Europe/Amsterdam",
    ),
    "a poll without rest": Wrong(
        route(poll("every: 10ms")),
        Code.INVALID_VALUE,
        "spec.source.poll.every",
        "10ms is too short",
        "write 1s or more",
    ),
    "records of a document in another way": Wrong(
        route(poll("every: 5m, document: {csv: {}}, records: '{% $[stock > 0] %}'")),
        Code.MISPLACED,
        "spec.source.poll.records",
        "the records of a document are what it is cut into, and records is not read",
        "remove records, and leave some of them out with a filter step",
    ),
    "a document that is read as a text": Wrong(
        route(
            poll(
                "every: 5m, document: {csv: {}}",
                "{connector: pim, answer: {as: text, charset: utf-16}}",
            )
        ),
        Code.MISPLACED,
        "spec.source.poll.call.answer.as",
        "the answer is read as the document says, and as is not read",
        "remove as; charset may stay",
    ),
    "a failure in a document": Wrong(
        route(
            poll(
                "every: 5m, document: {csv: {}}",
                "{connector: pim, answer: {failWhen: '{% error %}'}}",
            )
        ),
        Code.MISPLACED,
        "spec.source.poll.call.answer.failWhen",
        "the answer is read as the document says, and failWhen is not read",
        "remove failWhen; charset may stay",
    ),
    "changes of records that have no key": Wrong(
        route(poll("every: 5m, changeDetection: {}")),
        Code.MISSING_FIELD,
        "spec.source.poll.changeDetection",
        "changes are told by message.key, and this Route has none",
        "write message: {key: …} with what names a record, such as {% sku %}",
    ),
    "a parameter of the pages in the query": Wrong(
        route(poll("every: 5m, pagination: {page: {}}", "{connector: pim, query: {page: '1'}}")),
        Code.NAME_CLASH,
        "spec.source.poll.call.query.page",
        "the query has 'page' already, which pages go by",
        "remove it from the query: the first page gets it, too",
    ),
    "a cursor that has its parameter": Wrong(
        route(
            poll(
                "every: 5m, pagination: {cursor: {value: '{% next %}'}}",
                "{connector: pim, query: {cursor: a}}",
            )
        ),
        Code.NAME_CLASH,
        "spec.source.poll.call.query.cursor",
        "the query has 'cursor' already, which pages go by",
        "remove it from the query: a page gives it",
    ),
    "a cursor that goes to two places": Wrong(
        route(
            poll(
                "every: 5m, pagination: {cursor: {param: after, value: '{% next %}'}}",
                "{connector: pim, headers: {X-After: '{% $cursor %}'}}",
            )
        ),
        Code.NAME_CLASH,
        "spec.source.poll.pagination.cursor.param",
        "the call writes $cursor itself, and the query has it as 'after', too",
        "remove param, or $cursor from the call",
    ),
    "a connection that is read from the start again": Wrong(
        route(
            poll(
                "every: 5m, pagination: {connection: {pageInfo: '{% data.a.pageInfo %}'}}",
                "{connector: pim, method: POST, body: {query: q, variables: {after: null}}}",
            )
        ),
        Code.MISSING_FIELD,
        "spec.source.poll.call",
        "the call does not read $cursor, so every page would be the first",
        "write it into a variable of the query, such as "
        "body: {query: …, variables: {after: '{% $cursor %}'}}",
    ),
    "a size that says nothing": Wrong(
        route(poll("every: 5m, pagination: {page: {size: 10}, more: '{% more %}'}")),
        Code.INEFFECTIVE,
        "spec.source.poll.pagination.page.size",
        "more says which page is the last, so size is not read",
        "remove size, or more",
        severity=Severity.WARNING,
    ),
    "a cursor where there is none": Wrong(
        route(
            poll(
                "every: 5m, pagination: {page: {}}",
                "{connector: pim, query: {after: '{% $cursor %}'}}",
            )
        ),
        Code.EXPRESSION_INVALID,
        "spec.source.poll.call.query.after",
        "nothing binds the variable $cursor",
        "known here: $env, $route",
    ),
    "an address with a number too large": Wrong(
        route(hook("verify: {allowFrom: [10.0.0.1, 10.0.0.256]}")),
        Code.INVALID_VALUE,
        "spec.source.webhook.verify.allowFrom[1]",
        "'10.0.0.256' is neither an address nor a network",
        "write it like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
    ),
    "a network that begins in the middle": Wrong(
        route(hook("verify: {allowFrom: [10.0.0.0/8]}, trustedProxies: [10.1.2.3/16]")),
        Code.INVALID_VALUE,
        "spec.source.webhook.trustedProxies[0]",
        "'10.1.2.3/16' is neither an address nor a network",
        "write 10.1.0.0/16 for the network it is in",
    ),
    "proxies that nobody asks about": Wrong(
        route(hook("open: true, trustedProxies: [10.0.0.0/8]")),
        Code.INEFFECTIVE,
        "spec.source.webhook.trustedProxies",
        "nothing looks at the address of a caller",
        "remove it, or write verify: {allowFrom: …} or limits: {by: address}",
        severity=Severity.WARNING,
    ),
    "a limit of callers without names": Wrong(
        route(hook("verify: {allowFrom: [10.0.0.0/8]}, limits: {requests: 9, by: caller}")),
        Code.INVALID_VALUE,
        "spec.source.webhook.limits.by",
        "callers of this Route have no names to be told apart by",
        "write by: address, or name them in verify",
    ),
    "two callers of one name": Wrong(
        route(hook(f"verify: {{apiKey: {{header: K, keys: [{KEY}, {KEY}]}}}}")),
        Code.NAME_CLASH,
        "spec.source.webhook.verify.apiKey.keys[1].name",
        "two callers are named 'shop'",
        "give each a name of its own",
    ),
    "a port that no server has": Wrong(
        route(hook("verify: {jwt: {issuer: a, audience: [b], jwksUrl: 'https://a.b:70000/k'}}")),
        Code.INVALID_VALUE,
        "spec.source.webhook.verify.jwt.jwksUrl",
        "'https://a.b:70000/k' has a port that is none",
        "write one up to 65535, or leave it out",
    ),
    "a private key in a manifest": Wrong(
        route(hook("verify: {jwt: {issuer: a, audience: [b], keys: [{kty: RSA, d: x, p: y}]}}")),
        Code.INVALID_VALUE,
        "spec.source.webhook.verify.jwt.keys[0]",
        "this key has d, p, which nobody but its owner may know",
        "write the public key; take this one out of use, for others have seen it",
    ),
    "a field that no request has": Wrong(
        route("{http: {path: /a}}", "{map: {expression: $request.body}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].map.expression",
        "$request has no 'body' in this Route",
        "it has: headers, method, params, path, query",
    ),
    "a caller that nobody asked for its name": Wrong(
        route(hook("verify: {allowFrom: [10.0.0.0/8]}"), message="{key: '{% $request.caller %}'}"),
        Code.EXPRESSION_INVALID,
        "spec.message.key",
        "$request has no 'caller' in this Route",
        "it has: headers, method, params, path, query",
    ),
    "a signature over something else": Wrong(
        route(signed("signed: '{% $request.path %}'")),
        Code.INVALID_VALUE,
        "spec.source.webhook.verify.hmac.signed",
        "the body is not signed, so anybody may change it",
        "write $body into signed, or leave signed out: then it is the body",
    ),
    "a timestamp that nobody signs": Wrong(
        route(signed("timestamp: '{% $request.headers.t %}'")),
        Code.INEFFECTIVE,
        "spec.source.webhook.verify.hmac.timestamp",
        "the timestamp is not signed, so whoever sends a request again writes a new one",
        "write $timestamp into signed, such as '{% $timestamp %}.{% $body %}'",
        severity=Severity.WARNING,
    ),
    "a watermark that the call does not read": Wrong(
        route(poll("every: 5m, watermark: {value: '{% updated_at %}'}")),
        Code.INEFFECTIVE,
        "spec.source.poll.watermark",
        "the call does not read $watermark, so every run reads everything",
        "write it into the query, such as updated_after: '{% $watermark %}'",
        severity=Severity.WARNING,
    ),
    "a deadline for times that are never made up for": Wrong(
        route("{schedule: {cron: '@daily', missed: skip, startingDeadline: 1h}}"),
        Code.INEFFECTIVE,
        "spec.source.schedule.startingDeadline",
        "with missed: skip no missed time is ever made up for",
        "remove startingDeadline, or write missed: once",
        severity=Severity.WARNING,
    ),
    **{
        f"{name} of a Route that answers": Wrong(
            route("{http: {path: /a}}", **{name: text}),
            Code.MISPLACED,
            f"spec.{name}",
            f"{name} {NO_MEANING}",
            INSTEAD,
        )
        for name, text in (
            ("message", KEYED),
            ("delivery", "{concurrency: 1}"),
            ("retention", "{count: 1}"),
        )
    },
    "an answer to nobody": Wrong(
        route(WEBHOOK, "{respond: {status: 201}}"),
        Code.MISPLACED,
        "spec.steps[0].respond",
        NO_CALLER,
        "remove it; the body after the last step is the result, filter skips a message",
    ),
    "an answer to nobody when a call fails": Wrong(
        route(WEBHOOK, "{call: {connector: erp}, onError: {respond: {}}}"),
        Code.MISPLACED,
        "spec.steps[0].onError.respond",
        NO_CALLER,
        "write use: … to go on with a value; without onError the message is tried again or put "
        "aside",
    ),
    "an answer to nobody in a branch of a split": Wrong(
        route(WEBHOOK, "{split: {branch: b}}", branches="{b: [{respond: {}}]}"),
        Code.MISPLACED,
        "spec.branches.b[0].respond",
        NO_CALLER,
        "remove it; the body after the last step is the result, filter skips a message",
    ),
    "order without a key": Wrong(
        route(delivery="{order: key}"),
        Code.MISSING_FIELD,
        "spec.delivery.order",
        "order goes by message.key, and this Route has none",
        "write message: {key: …} with what the message is about, such as {% id %}",
    ),
    "skipping without a key": Wrong(
        route(delivery="{skipIfDelivered: true}"),
        Code.MISSING_FIELD,
        "spec.delivery.skipIfDelivered",
        "skipIfDelivered goes by message.key, and this Route has none",
        "write message: {key: …} with what the message is about, such as {% id %}",
    ),
    "no time to deliver": Wrong(
        route(delivery="{timeout: 0s}"),
        Code.INVALID_VALUE,
        "spec.delivery.timeout",
        "0s is too short",
        "write 1ms or more",
    ),
    "a deadline that is over": Wrong(
        route(delivery="{deadline: 0h}"),
        Code.INVALID_VALUE,
        "spec.delivery.deadline",
        "0h is too short",
        "write 1ms or more",
    ),
    "a filter of a batch": Wrong(
        route(WEBHOOK, "{filter: '{% a %}'}", CALL, delivery="{batch: {}}"),
        Code.MISPLACED,
        "spec.steps[0].filter",
        "a filter would skip all messages of a batch at once",
        "choose among them with map, such as $[status = 'paid'], or deliver one by one",
    ),
    "a filter of a batch in a branch": Wrong(
        route(
            WEBHOOK,
            "{choice: {when: [{condition: '{% a %}', branch: b}]}}",
            CALL,
            branches="{b: [{filter: '{% a %}'}]}",
            delivery="{batch: {}}",
        ),
        Code.MISPLACED,
        "spec.branches.b[0].filter",
        "a filter would skip all messages of a batch at once",
        "choose among them with map, such as $[status = 'paid'], or deliver one by one",
    ),
    "nobody to expose a schedule to": Wrong(
        route("{schedule: {cron: '@daily'}}", expose="{host: a.b}"),
        Code.MISPLACED,
        "spec.expose",
        "nobody calls this Route, so there is nothing to expose",
        "remove it: only sources http and webhook have a path",
    ),
    "a prefix that does not lead to a webhook": Wrong(
        route(WEBHOOK, expose="{pathPrefix: /api}"),
        Code.INVALID_VALUE,
        "spec.expose.pathPrefix",
        "nothing that begins with '/api' reaches the source's path '/hooks'",
        "write how the source's path begins, or leave it out",
    ),
    "a webhook's path of text and a variable": Wrong(
        route("{webhook: {path: '/hooks/a-{id}', open: true}}"),
        Code.INVALID_VALUE,
        "spec.source.webhook.path",
        "'a-{id}' mixes text and a variable",
        "a variable takes a whole segment: /orders/{id}/lines",
    ),
    "a result that nobody gets": Wrong(
        route(WEBHOOK, CALL, "{map: {expression: a}}"),
        Code.INEFFECTIVE,
        "spec.steps[1]",
        "nothing comes after this map, and this Route feeds no other",
        "call a Connector with it, or let a Route have source: {route: {name: r}}",
        severity=Severity.WARNING,
    ),
    "a variable that would hide the messages of a batch": Wrong(
        route(WEBHOOK, "{call: {connector: erp}, into: messages}", delivery="{batch: {}}"),
        Code.NAME_CLASH,
        "spec.steps[0].into",
        "the variable 'messages' would hide $messages, which expressions know already",
        "choose another name",
    ),
    "a test with a request of a Route that takes messages": Wrong(
        route(tests="[{name: t, request: {}, expect: {state: finished}}]"),
        Code.MISPLACED,
        "spec.tests[0].request",
        "this Route takes messages, not requests",
        "write message: {body: …}",
    ),
    "a test that expects an answer of a Route that takes messages": Wrong(
        route(tests="[{name: t, message: {}, expect: {status: 202}}]"),
        Code.MISPLACED,
        "spec.tests[0].expect.status",
        "this Route answers nobody, so there is no status",
        "write state: finished, or another one",
    ),
    "a test with headers of a Route that nobody calls": Wrong(
        route(poll(), tests="[{name: t, message: {headers: {A: b}}, expect: {state: dead}}]"),
        Code.MISPLACED,
        "spec.tests[0].message.headers",
        "only a message of a webhook has headers",
        "remove it",
    ),
    "a test that expects the result of a batch": Wrong(
        route(delivery="{batch: {}}", tests="[{name: t, message: {body: 1}, expect: {body: 1}}]"),
        Code.MISPLACED,
        "spec.tests[0].expect.body",
        "the result of a batch belongs to no single message",
        "expect the calls it makes, and a state",
    ),
    "a test with a message of a Route that answers": Wrong(
        route("{http: {path: /a}}", tests="[{name: t, message: {}, expect: {status: 200}}]"),
        Code.MISPLACED,
        "spec.tests[0].message",
        "this Route takes requests, not messages",
        "write request: {…}",
    ),
    "a test that expects a state of a Route that answers": Wrong(
        route("{http: {path: /a}}", tests="[{name: t, expect: {state: finished}}]"),
        Code.MISPLACED,
        "spec.tests[0].expect.state",
        "this Route answers its caller, so there is no state",
        "expect a status, headers or a body",
    ),
    "a field that a message has not": Wrong(
        route(WEBHOOK, "{call: {connector: erp, path: '/{% $message.uid %}'}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].call.path",
        "$message has no 'uid' in this Route",
        "it has: acceptedAt, attempt, id, identity",
    ),
    "the key of a message that has none": Wrong(
        route(WEBHOOK, "{call: {connector: erp, body: {a: '{% $message.key %}'}}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].call.body.a",
        "$message has no 'key' in this Route",
        "give it one in spec.message; it has: acceptedAt, attempt, id, identity",
    ),
    "the attempt of a request": Wrong(
        route("{http: {path: /a}}", "{map: {expression: $message.attempt}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].map.expression",
        "$message has no 'attempt' in this Route",
        "it has: id",
    ),
    "the key of a message that has none, in a Mapping": Wrong(
        route(WEBHOOK, "{map: {mapping: m}}", CALL),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].map.mapping",
        "$message has no 'key' in this Route",
        "give it one in spec.message; it has: acceptedAt, attempt, id, identity",
        (resource(MAPPING, "m", "{expression: \"{'id': $message.key}\"}"),),
    ),
    "the request of a message that came without one, in a Mapping": Wrong(
        route(poll(), "{map: {mapping: m}}", CALL),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].map.mapping",
        "the Mapping 'm' reads $request, which no step before binds",
        "bind it with 'into: request', or read one of $env, $message, $route",
        (resource(MAPPING, "m", "{expression: $request.query.q}"),),
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong(case: Wrong) -> None:
    found = planned(case.route, *case.others)

    (problem,) = found.problems
    assert (problem.code, problem.field) == (case.code, case.field)
    assert (problem.message, problem.hint) == (case.message, case.hint)
    assert problem.severity is case.severity
    assert problem.subject == str(case.route.key)
    assert (found.plan is None) is (case.severity is Severity.ERROR)


RIGHT = {
    "a webhook": route(),
    "a webhook that is signed as Slack signs": route(
        signed(
            "prefix: v0=, timestamp: '{% $request.headers.`x-slack-request-timestamp` %}', "
            "signed: 'v0:{% $timestamp %}:{% $body %}'"
        )
    ),
    "a poll that goes by a cursor in the body": route(
        poll(
            "every: 1s, pagination: {connection: {pageInfo: '{% data.orders.pageInfo %}'}}",
            "{connector: pim, method: POST, body: {query: q, variables: {after: '{% $cursor %}'}}}",
        ),
    ),
    "a poll whose first page has an id of its own": route(
        poll(
            "every: 1s, pagination: {keyset: {param: since_id}}, watermark: {value: '{% id %}'}",
            "{connector: pim, query: {since_id: '{% $watermark %}'}}",
        ),
    ),
    "a poll of a document": route(
        poll("every: 5m, document: {csv: {}}", "{connector: pim, answer: {charset: utf-16}}"),
    ),
    "a poll of a document that the API server has filled in": route(
        poll("every: 5m, records: '{% $ %}', document: {xml: {element: a/b, required: true}}"),
    ),
    "a poll that goes by a watermark and by changes": route(
        poll(
            "every: 1s, records: '{% items %}', changeDetection: {fields: '{% price %}'}, "
            "watermark: {value: '{% updated %}', initial: '2020'}, "
            "pagination: {cursor: {param: after, value: '{% next %}'}}",
            "{connector: pim, method: POST, body: {since: '{% $watermark %}'}}",
        ),
        message="{key: '{% sku %}'}",
    ),
    "a schedule": route("{schedule: {cron: 30 2 * * *, timeZone: Europe/Amsterdam}}"),
    "what a Route delivers with a key": route(
        WEBHOOK,
        "{call: {connector: erp, path: '/{% $message.key %}/{% $message.version %}'}}",
        message="{key: '{% id %}', version: '{% updated %}'}",
        delivery="{order: key, onFailure: block, skipIfDelivered: true}",
    ),
    "what a batch is of": route(
        WEBHOOK,
        "{call: {connector: erp, method: POST, body: {ids: '{% $messages.id %}'}}, into: answer}",
        "{map: {expression: $}}",
        delivery="{batch: {failures: '{% $answer.failed %}'}}",
    ),
    "a filter of elements of a batch": route(
        WEBHOOK,
        "{split: {branch: b}}",
        CALL,
        branches="{b: [{filter: '{% a %}'}]}",
        delivery="{batch: {}}",
    ),
    "a message in a variable called messages": route(
        WEBHOOK, "{map: {expression: a}, into: messages}", CALL
    ),
    "an entry looked up and written": route(
        WEBHOOK,
        "{lookup: {store: orders, key: '{% id %}'}, into: order}",
        "{call: {connector: erp, path: '/{% $order.reference %}'}}",
        "{remember: {store: orders, key: '{% id %}', value: {a: '{% $order.value %}'}}}",
    ),
    "a store in a Route that answers": route(
        "{http: {path: /a}}",
        "{lookup: {store: orders, reference: '{% $request.query.q %}'}, into: order}",
        "{respond: {body: '{% $order.value %}'}}",
    ),
    "a Mapping that reads the request of a webhook": route(
        WEBHOOK, "{map: {expression: $request.headers.a}}", CALL
    ),
    "privacy of a Route that answers": route(
        "{http: {path: /a}}", "{respond: {}}", privacy="{mask: [a.b]}"
    ),
    "a schedule with tests": route(
        "{schedule: {cron: '@daily'}}",
        tests="[{name: t, message: {body: 1, attempt: 2}, expect: {state: retry, feeds: []}}]",
    ),
}


@pytest.mark.parametrize("made", RIGHT.values(), ids=RIGHT)
def test_what_is_right(made: Resource[RouteSpec]) -> None:
    assert planned(made).problems == ()


SECRET = "{secretKeyRef: {name: shop, key: hook}}"
SCOPES = {
    "every place of a webhook": (
        route(
            "{webhook: {path: /a, verify: {hmac: {header: H, secret: " + SECRET + ", "
            "signed: '{% $body %}{% $a %}', timestamp: '{% $message %}'}}, split: '{% $body %}', "
            "reply: {headers: {H: '{% $timestamp %}'}, body: ['{% $message %}']}, "
            "challenge: {when: '{% $messages %}', respond: {headers: {H: '{% $a %}'}, "
            "body: '{% $message %}'}}}}"
        ),
        {
            "verify.hmac.signed", "verify.hmac.timestamp", "split", "reply.headers.H",
            "reply.body[0]", "challenge.when", "challenge.respond.headers.H",
            "challenge.respond.body",
        },
    ),
    "a signature without a timestamp": (
        route(signed("signed: '{% $timestamp %}{% $body %}'")), {"verify.hmac.signed"},
    ),
    "a schedule knows when it is": (
        route("{schedule: {cron: '@daily', body: ['{% $scheduledAt %}', '{% $request %}']}}"),
        {"body[1]"},
    ),
    "every place of a poll": (
        route(
            poll(
                "every: 5m, records: '{% $watermark %}', pagination: {cursor: {value: "
                "'{% $watermark %}'}}, watermark: {value: '{% $watermark %}', "
                "initial: '{% $watermark %}'}, changeDetection: {fields: '{% $watermark %}'}",
                "{connector: pim, path: '/{% $watermark %}', query: {q: '{% $request %}'}, "
                "headers: {H: '{% $message %}'}, body: '{% $a %}'}",
            ),
            message="{key: a}",
        ),
        {
            "call.query.q", "call.headers.H", "call.body", "pagination.cursor.value", "records",
            "watermark.value", "watermark.initial", "changeDetection.fields",
        },
    ),
    "a call without a watermark": (
        route(poll(call="{connector: pim, path: '/{% $watermark %}'}")), {"call.path"},
    ),
    "a connection": (
        route(poll("every: 5m, pagination: {connection: {pageInfo: '{% $request %}'}}",
                   "{connector: pim, method: POST, body: {after: '{% $cursor %}'}}")),
        {"pagination.connection.pageInfo"},
    ),
    "an id, and what a page says of more and of all": (
        route(poll("every: 5m, pagination: {keyset: {param: a, id: '{% $cursor %}'}, "
                   "more: '{% $watermark %}'}")),
        {"pagination.keyset.id", "pagination.more"},
    ),
    "a total": (
        route(poll("every: 5m, pagination: {page: {}, total: '{% $request %}'}")),
        {"pagination.total"},
    ),
    "a link in the body": (
        route(poll("every: 5m, pagination: {bodyLink: {url: '{% $request %}'}}")),
        {"pagination.bodyLink.url"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "unknown"), SCOPES.values(), ids=SCOPES)
def test_variables_of_a_source(made: Resource[RouteSpec], unknown: set[str]) -> None:
    kind = next(iter(made.spec.source.written()))
    found = [each for each in planned(made).problems if each.severity is Severity.ERROR]

    assert {problem.field for problem in found} == {f"spec.source.{kind}.{at}" for at in unknown}
    assert all(each.message.startswith("nothing binds the variable $") for each in found)


STEPS = {
    "a request is known where a webhook took it": (WEBHOOK, "request", True),
    "a request is not known to a schedule": ("{schedule: {cron: '@daily'}}", "request", False),
    "a request is not known to a poll": (poll(), "request", False),
    "the watermark is not known to steps": (poll(), "watermark", False),
    "a message is known to steps": (poll(), "message", True),
    "messages are known to batches only": (WEBHOOK, "messages", False),
}


@pytest.mark.parametrize(("source", "name", "is_known"), STEPS.values(), ids=STEPS)
def test_variables_of_steps(source: str, name: str, is_known: bool) -> None:
    made = route(source, f"{{map: {{expression: ${name}}}}}", CALL, message=KEYED)

    found = planned(made).problems

    assert [problem.field for problem in found] == (
        [] if is_known else ["spec.steps[0].map.expression"]
    )


@pytest.mark.parametrize("name", ["message", "request"])
def test_a_batch_has_messages_and_nothing_of_one_of_them(name: str) -> None:
    made = route(WEBHOOK, f"{{map: {{expression: ${name}}}}}", CALL, delivery="{batch: {}}")

    assert [each.field for each in planned(made).problems] == ["spec.steps[0].map.expression"]


def test_the_key_is_read_before_there_is_a_message() -> None:
    made = route(
        message="{key: '{% $request.query.q %}{% $message.id %}', version: '{% $messages %}'}"
    )

    found = planned(made).problems

    assert [each.field for each in found] == ["spec.message.key", "spec.message.version"]


# Who feeds whom


def test_a_plan_names_the_routes_it_feeds() -> None:
    feeder = route(name="orders-in")
    mail = fed("orders-in", "mail", message="{key: '{% buyer %}'}", env="{shop: nl}")
    others = (fed("orders-in", "stock"), mail, fed("other", "far"), route())
    elsewhere = fed("orders-in", "away", namespace="shop")

    made = plan_of(feeder, *others, elsewhere)

    assert json.loads(made.to_json())["feeds"] == {
        "mail": {"message": {"key": "{% buyer %}"}, "env": {"shop": "nl"}},
        "stock": {},
    }
    assert made.hash != plan_of(feeder).hash
    assert "feeds" not in json.loads(plan_of(feeder).to_json())


def test_a_route_feeds_others_whatever_is_wrong_with_them() -> None:
    """What it ends with waits for them in the journal."""
    broken = fed("orders-in", "stock", "{call: {connector: nobody}}")

    assert planned(broken, route(name="orders-in")).plan is None
    assert plan_of(route(name="orders-in"), broken).feeds.keys() == {"stock"}


@pytest.mark.parametrize(
    "feeder",
    [route("{http: {path: /a}}", name="r"), route(delivery="{batch: {}}")],
    ids=["one that answers", "one that delivers in batches"],
)
def test_a_route_without_results_feeds_none(feeder: Resource[RouteSpec]) -> None:
    assert plan_of(feeder, fed("r", "other")).feeds == {}


def test_a_result_that_a_route_gets_is_used() -> None:
    feeder = route(WEBHOOK, "{map: {expression: a}}")

    assert planned(feeder, fed("r", "other")).problems == ()


def test_a_circle_is_told_to_those_in_it() -> None:
    circle = (fed("b", "a"), fed("a", "b"), fed("a", "outside"))

    found = check(Resources.of([*circle, ERP]))

    assert [(each.subject, each.code) for each in found] == [
        ("Route default/a", Code.ROUTE_CYCLE),
        ("Route default/b", Code.ROUTE_CYCLE),
    ]
    assert planned(circle[2], *circle[:2]).problems == ()


# The plan


JOURNAL = {
    "a webhook": (route(), True),
    "a schedule": (route("{schedule: {cron: '@daily'}}"), True),
    "a poll": (route(poll()), True),
    "a Route that answers": (route("{http: {path: /a}}", "{respond: {}}"), False),
    "one that answers and remembers": (
        route("{http: {path: /a}}", "{remember: {store: a, key: b}}", "{respond: {}}"), True,
    ),
    "one that answers and looks up in a branch": (
        route("{http: {path: /a}}", "{split: {branch: b}}",
              branches="{b: [{lookup: {store: a, key: b}, into: x}]}"), True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "needs"), JOURNAL.values(), ids=JOURNAL)
def test_which_routes_need_a_journal(made: Resource[RouteSpec], needs: bool) -> None:
    assert plan_of(made).needs_journal is needs


@pytest.mark.parametrize("limit", [None, "{requests: 60}", "{concurrency: 4}"])
def test_which_routes_share_limits(limit: str | None) -> None:
    http = "baseUrl: http://erp" + (f", rateLimit: {limit}" if limit else "")
    erp = resource(CONNECTOR, "erp", yaml.safe_load(f"{{http: {{{http}}}}}"))
    found = plan(route("{http: {path: /a}}"), Resources.of([erp])).plan

    assert found is not None
    assert found.shares_with_others is bool(limit)
    assert not found.needs_journal


@pytest.mark.parametrize("is_shared", [True, False])
def test_which_routes_share_tokens(is_shared: bool) -> None:
    ref = "{secretKeyRef: {name: erp, key: k}}"
    oauth = f"tokenUrl: http://id, clientId: {ref}, clientSecret: {ref}, sharedToken: {is_shared}"
    text = f"{{http: {{baseUrl: http://erp, auth: {{oauth2: {{{oauth}}}}}}}}}"
    erp = resource(CONNECTOR, "erp", yaml.safe_load(text))
    found = plan(route("{http: {path: /a}}"), Resources.of([erp])).plan

    assert found is not None
    assert found.shares_with_others is is_shared
    assert not found.needs_journal


def test_a_plan_of_messages_comes_back_from_its_json() -> None:
    made = plan_of(
        route(
            message="{key: '{% id %}'}",
            delivery="{order: key, batch: {count: 10}}",
            retention="{age: 24h}",
            privacy="{mask: [a.b]}",
        )
    )

    read = RoutePlan.from_json(made.to_json())

    assert read.hash == made.hash
    assert (read.message, read.delivery) == (made.message, made.delivery)
    assert (read.retention, read.privacy) == (made.retention, made.privacy)


def test_the_connector_of_a_poll_is_in_the_plan() -> None:
    assert sorted(plan_of(route(poll())).connectors) == ["erp", "pim"]


# Routes side by side

HOOK = {"path": "/a", "open": True}
CHALLENGE = {"when": "{% a %}", "respond": {}}


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        pytest.param({"webhook": HOOK}, {"webhook": HOOK}, "POST /a", id="two webhooks"),
        pytest.param(
            {"http": {"path": "/a", "method": "POST"}}, {"webhook": HOOK}, "POST /a",
            id="a webhook and an endpoint that answers",
        ),
        pytest.param(
            {"http": {"path": "/a"}}, {"webhook": HOOK}, "", id="a webhook and another method"
        ),
        pytest.param(
            {"http": {"path": "/a"}},
            {"webhook": {**HOOK, "challenge": {**CHALLENGE, "method": "GET"}}}, "GET /a",
            id="a challenge and an endpoint",
        ),
        pytest.param(
            {"webhook": {**HOOK, "challenge": CHALLENGE}},
            {"webhook": {**HOOK, "path": "/b", "challenge": {**CHALLENGE, "method": "POST"}}}, "",
            id="challenges on paths of their own",
        ),
        pytest.param({"webhook": HOOK}, {"poll": {"every": "1m", "call": {"connector": "erp"}}},
                     "", id="a Route that nobody calls"),
    ],
)  # fmt: skip
def test_routes_that_would_take_the_same_requests(
    first: dict[str, Any], second: dict[str, Any], taken: str
) -> None:
    routes = [
        resource(ROUTE, name, {"source": source, "steps": [yaml.safe_load(CALL)]})
        for name, source in (("r", first), ("s", second))
    ]

    found = check(Resources.of([*routes, ERP]))

    assert [each.code for each in found] == ([Code.PATH_CLASH] if taken else [])
    assert [each.message for each in found] == (
        [f"{taken} is taken by Route default/r already"] if taken else []
    )
