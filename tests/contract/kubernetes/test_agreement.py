"""A file and the cluster agree: what `manifests.read` takes, the API server takes, and refuses too.

The tables show what users meet; small changes to all that is taken look for what nobody thought of.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from isthmus_api import crd, manifests
from isthmus_api.model import Model
from isthmus_api.problems import Problem
from isthmus_api.resources import KINDS, Resource


@dataclass(frozen=True, slots=True)
class Taken:
    """An object that both take."""

    kind: str
    spec: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An object that both refuse, naming the field; `file` and `server` are what they say."""

    kind: str
    spec: str
    at: str
    server: str
    file: str


def taken_step(step: str) -> Taken:
    return Taken("Route", _route(step))


def refused_step(step: str, at: str, *, server: str, file: str = "") -> Refused:
    path = f"spec.steps[0]{at}"
    return Refused("Route", _route(step), path, server, file or server)


def _route(step: str) -> str:
    return f"{{source: {{http: {{path: /a}}}}, steps: [{step}]}}"


def _http(fields: str) -> str:
    return f"{{http: {{baseUrl: https://erp.example.com, {fields}}}}}"


def _oauth(fields: str) -> str:
    return _http(f"auth: {{oauth2: {{tokenUrl: https://id.example.com/token, {fields}}}}}")


def _session(fields: str) -> str:
    return _http(f"auth: {{session: {{{fields}}}}}")


def beside(fields: str) -> Taken:
    """A Route with `fields` beside its steps."""
    return Taken("Route", _beside(fields))


def refused_beside(fields: str, at: str, *, server: str, file: str = "") -> Refused:
    path = f"spec.{at}" if at else "spec"
    return Refused("Route", _beside(fields), path, server, file or server)


def _beside(fields: str) -> str:
    base = {"source": {"http": {"path": "/a/b-c"}}, "steps": [{"respond": {}}]}
    return json.dumps(base | yaml.safe_load(fields))


def from_source(source: str) -> Taken:
    """A Route with this source."""
    return Taken("Route", _from_source(source))


def refused_source(source: str, at: str, *, server: str, file: str = "") -> Refused:
    return Refused("Route", _from_source(source), f"spec.source{at}", server, file or server)


def _from_source(source: str) -> str:
    return json.dumps({"source": yaml.safe_load(source), "steps": [{"call": {"connector": "erp"}}]})


def _webhook(fields: str) -> str:
    return f"{{webhook: {{path: /hooks, {fields}}}}}"


def _poll(fields: str) -> str:
    return f"{{poll: {{call: {{connector: pim}}, {fields}}}}}"


SECRET = "{secretKeyRef: {name: erp, key: token}}"
TLS = (
    "{caBundle: {configMapKeyRef: {name: trust, key: ca.crt}}, clientCertificate: "
    f"{{certificate: {SECRET}, privateKey: {SECRET}}}, serverName: erp.local, minVersion: '1.3'}}"
)
UNKNOWN = "unknown field"
REQUIRED = "Required value"
MISSING = "is missing"

CALLS = {
    "form": "form: {a: b}",
    "text": "text: a, answer: {as: text, charset: utf-16, failWhen: '{% true %}'}",
    "parts": "multipart: [{name: a, value: b, encoding: base64, fileName: c, "
    "contentType: text/csv; charset=utf-8}]",
}
"""What a call sends but JSON, by name."""

TAKEN = {
    "a Connector needs an address only": Taken("Connector", "{http: {baseUrl: https://a.b}}"),
    "a Connector has headers, time-outs and limits": Taken(
        "Connector",
        _http(
            "headers: {X-Shop: nl}, timeout: 2s, connectTimeout: 100ms, maxConnections: 8, "
            "maxResponseSize: 64Ki, rateLimit: {requests: 300, per: 1m}, "
            "retry: {attempts: 3, backoff: {initial: 200ms, max: 5s}}"
        ),
    ),
    "a Connector proves itself with a user name": Taken(
        "Connector", _http(f"auth: {{basic: {{username: {SECRET}, password: {SECRET}}}}}")
    ),
    "a Connector proves itself with a token": Taken(
        "Connector", _http(f"auth: {{bearer: {{token: {SECRET}}}}}")
    ),
    "a Connector proves itself with a key in a header": Taken(
        "Connector", _http(f"auth: {{apiKey: {{header: X-Key, value: {SECRET}}}}}")
    ),
    "a Connector proves itself with a key in the query": Taken(
        "Connector", _http(f"auth: {{apiKey: {{query: key, value: {SECRET}}}}}")
    ),
    "a Connector fetches a token": Taken(
        "Connector",
        _http(
            f"auth: {{oauth2: {{tokenUrl: https://id.example.com/token, "
            f"clientId: {SECRET}, clientSecret: {SECRET}, scopes: [read, write], audience: erp, "
            "clientAuthentication: body}}"
        ),
    ),
    "a Connector asks for a token in the name of a user": Taken(
        "Connector",
        _oauth(f"clientId: {SECRET}, password: {{username: {SECRET}, password: {SECRET}}}"),
    ),
    "a Connector refreshes a token": Taken(
        "Connector", _oauth(f"refreshToken: {{token: {SECRET}}}")
    ),
    "a Connector signs a statement": Taken(
        "Connector",
        _oauth(
            f"jwtBearer: {{privateKey: {SECRET}, algorithm: ES256, keyId: k1, issuer: shop, "
            "subject: anna, audience: https://id, lifetime: 1m, claims: {scope: read}}"
        ),
    ),
    "a Connector logs in": Taken(
        "Connector",
        _session(
            "login: {method: PUT, path: /login, headers: {X-A: b}, body: {a: [null]}}, "
            f"secrets: {{user: {SECRET}}}, "
            'token: "{% token %}", headers: {X-Token: "{% $token %}"}, lifetime: 20m, '
            'expiredWhen: "{% $status = 403 %}"'
        ),
    ),
    "a Connector has certificates and a proxy": Taken(
        "Connector",
        _http(
            f"maxConnectionAge: 1m, tls: {TLS}, proxy: {{url: 'http://proxy:3128', auth: "
            f"{{username: {SECRET}, password: {SECRET}}}, noProxy: [.local, 10.0.0.1]}}"
        ),
    ),
    "a token endpoint has certificates of its own": Taken(
        "Connector", _oauth(f"refreshToken: {{token: {SECRET}}}, tls: {TLS}")
    ),
    "a token is shared": Taken(
        "Connector", _oauth(f"refreshToken: {{token: {SECRET}}}, sharedToken: true")
    ),
    "a bundle is kept in a Secret": Taken("Connector", _http(f"tls: {{caBundle: {SECRET}}}")),
    "a token endpoint's bundle is kept in a Secret": Taken(
        "Connector",
        _oauth(f"refreshToken: {{token: {SECRET}}}, tls: {{caBundle: {SECRET}}}"),
    ),
    "a Connector signs its calls": Taken(
        "Connector",
        _http(
            f"auth: {{hmac: {{secret: {SECRET}, secretEncoding: hex, secrets: {{id: {SECRET}}}, "
            'algorithm: sha512, encoding: base64, signed: "{% $body %}", timestamp: iso8601, '
            "bodyHash: {algorithm: md5, encoding: base64}, "
            'headers: {X-Signature: "{% $signature %}"}, query: {t: "{% $timestamp %}"}}}'
        ),
    ),
    "a Connector signs with OAuth 1.0": Taken(
        "Connector",
        _http(
            f"auth: {{oauth1: {{consumerKey: {SECRET}, consumerSecret: {SECRET}, token: {SECRET}, "
            f"tokenSecret: {SECRET}, signatureMethod: HMAC-SHA1, realm: '1234567_SB1'}}}}"
        ),
    ),
    "a consumer signs for itself": Taken(
        "Connector",
        _http(f"auth: {{oauth1: {{consumerKey: {SECRET}, consumerSecret: {SECRET}}}}}"),
    ),
    "a Connector signs for AWS": Taken(
        "Connector",
        _http(
            f"auth: {{awsSigV4: {{accessKeyId: {SECRET}, secretAccessKey: {SECRET}, "
            f"sessionToken: {SECRET}, region: eu-west-1, service: execute-api}}}}"
        ),
    ),
    "a Connector keeps cookies": Taken(
        "Connector", _session("login: {path: '', form: {a: b}}, cookies: [SESSION]")
    ),
    "a contract is in a ConfigMap": Taken(
        "Connector",
        _http("contract: {openapi: {configMapKeyRef: {name: erp-openapi, key: v2.yaml}}}"),
    ),
    "a contract is in a ConfigMap, and in a file for the laptop": Taken(
        "Connector",
        _http(
            "contract: {openapi: {configMapKeyRef: {name: erp, key: v2.yaml}, file: ../erp.yaml}}"
        ),
    ),
    "null is the same as leaving a field out": Taken("Connector", _http("auth: null, retry: null")),
    "a Mapping needs an expression only": Taken("Mapping", "{expression: $}"),
    "a Mapping has tables, schemas and tests": Taken(
        "Mapping",
        "{expression: $, tables: {vat: {NL: 21}}, sharedTables: {prices: {format: csv, key: sku, "
        "value: net, separator: ';', configMaps: [{name: prices, key: nl.csv}]}}, "
        "input: {schema: {type: object}, onMismatch: reject}, "
        "output: {schema: {type: object}, onMismatch: warn}, "
        "tests: [{name: nothing comes of nothing, input: null, "
        "variables: {prices: {}}, expect: null}]}",
    ),
    "a step calls with all that a call can have": taken_step(
        '{name: ask, call: {connector: erp, method: POST, path: "/a/{% id %}", '
        'query: {q: "{% q %}"}, '
        "headers: {X-Shop: nl}, body: [1, null], idempotent: true}, into: prices, timeout: 300ms, "
        'cache: {ttl: 1m, key: "{% id %}", maxEntries: 10, maxSize: 1Mi}, onError: {use: {}}}'
    ),
    **{
        f"a call sends its {name}": taken_step(f"{{call: {{connector: erp, {written}}}}}")
        for name, written in CALLS.items()
    },
    **{
        f"a poll sends its {name}": from_source(
            f"{{poll: {{every: 5m, call: {{connector: erp, {written}}}}}}}"
        )
        for name, written in CALLS.items()
    },
    "an error may be answered with null": taken_step(
        "{call: {connector: erp}, onError: {use: null}}"
    ),
    "an error may be answered to the caller": taken_step(
        "{map: {mapping: a}, "
        "onError: {respond: {status: 502, headers: {Retry-After: '5'}, body: {sorry: true}}}}"
    ),
    "a step maps in place": taken_step("{map: {expression: $}}"),
    "a step filters": taken_step('{filter: "{% paid %}"}'),
    "a step validates": taken_step("{validate: {schema: {type: object}}}"),
    "a step responds with all that a response can have": taken_step(
        "{respond: {status: 201, headers: {Location: /a}, body: null}}"
    ),
    "a step responds with nothing in particular": taken_step("{respond: {}}"),
    "steps name branches": Taken(
        "Route",
        """
        source: {http: {path: "/a/{id}/b"}}
        steps:
          - choice: {when: [{condition: "{% $ %}", branch: one}], otherwise: two}
          - split: {items: "{% hits %}", branch: one, concurrency: 4}
            into: results
          - aggregate: {expression: "{% $sum($) %}"}
          - scatter: {branches: [one, two]}
        branches: {one: [{respond: {}}], two: [{filter: "{% $ %}"}]}
        """,
    ),
    "a Route may have no replicas": Taken(
        "Route", "{source: {http: {path: /}}, steps: [{respond: {}}], replicas: 0}"
    ),
    "a Route is scaled for two targets": beside(
        "{autoscaling: {minReplicas: 2, maxReplicas: 10, cpu: 70, requestsInFlight: 20}}"
    ),
    "a Route is scaled, and says the count that is filled in": beside(
        "{autoscaling: {maxReplicas: 2, cpu: 70}, replicas: 1}"
    ),
    "a Route that is fed by a schedule is scaled by its CPU": Taken(
        "Route",
        "{source: {schedule: {cron: '@daily'}}, steps: [{call: {connector: erp}}], "
        "autoscaling: {maxReplicas: 1, cpu: 70}}",
    ),
    "a Route has all that is beside its steps": Taken(
        "Route",
        """
        source: {http: {method: POST, path: /a, timeout: 3s, maxBody: 2Mi}}
        env: {shop: nl}
        steps: [{call: {connector: erp}}]
        replicas: 3
        tests:
          - name: the ERP answers
            request: {params: {id: "1"}, query: {q: [a, b]}, headers: {X-Shop: nl}, body: null,
                      caller: {name: shop}}
            answers:
              - {connector: erp, method: GET, path: /a, status: 200, headers: {ETag: a}, body: {}}
              - {connector: erp, text: hello}
              - {connector: erp, fail: connect}
            expect:
              status: 502
              headers: {X-Shop: nl}
              body: null
              calls:
                - {connector: erp, method: GET, path: /a, query: {q: a}, headers: {a: b}, body: 1}
        """,
    ),
}

TAKEN |= {
    "a Route says how large its pods are": beside(
        "resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: '1.5', memory: 1Gi}}"
    ),
    "a Route says where its pods are and what they have": beside(
        """
        paused: true
        podTemplate:
          labels: {team: search, example.com/cost-centre: a_b.c}
          annotations: {example.com/note: "any text at all"}
          nodeSelector: {kubernetes.io/arch: arm64, empty: ""}
          tolerations:
            - {key: example.com/spot, value: "yes", effect: NoSchedule}
            - {key: gone, operator: Exists, effect: NoExecute, tolerationSeconds: 30}
            - {operator: Exists}
          topologySpread: false
          priorityClassName: important
          imagePullSecrets: [{name: registry}, {name: other.registry}]
          env:
            - {name: HTTPS_PROXY, value: "http://proxy:3128"}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: erp, key: token}}}
            - {name: _STAGE, valueFrom: {configMapKeyRef: {name: stage, key: name.txt}}}
        """
    ),
    "a Route is exposed through an Ingress": beside(
        """
        expose:
          host: "*.shop.example.com"
          pathPrefix: /a/b-c
          ingressClassName: nginx
          tlsSecretName: shop-tls
          annotations: {cert-manager.io/cluster-issuer: ours}
        """
    ),
    "a Route is exposed through a Gateway": beside(
        "expose: {pathPrefix: /, gateway: {name: public, namespace: gateways}}"
    ),
}

TAKEN |= {
    "a webhook that anybody may send to": from_source("{webhook: {path: /hooks, open: true}}"),
    "a webhook with all that it can have": from_source(
        f"""
        webhook:
          method: PUT
          path: /hooks/{{id}}
          maxBody: 2Mi
          body: form
          verify:
            hmac:
              header: X-Signature
              algorithm: sha512
              encoding: base64
              prefix: "v1,"
              signed: "v0:{{% $timestamp %}}:{{% $body %}}"
              timestamp: "{{% $request.headers.t %}}"
              tolerance: 1m
              secret: {SECRET}
              secondSecret: {SECRET}
              secretEncoding: base64
            basic: {{users: [{{name: shop, username: {SECRET}, password: {SECRET}}}]}}
            apiKey: {{header: X-Api-Key, keys: [{{name: shop, value: {SECRET}}}]}}
            clientCertificate:
              header: X-Subject
              ingress: [10.0.0.0/8]
              verified: {{header: X-Verified, value: SUCCESS}}
              certificates: [{{name: shop, value: CN=shop}}]
            allowFrom: [203.0.113.7, "2001:db8::/32"]
          trustedProxies: [10.0.0.0/8]
          open: false
          split: "{{% orders %}}"
          reply: {{status: 200, headers: {{A: b}}, body: {{ids: "{{% $messages.id %}}"}}}}
          challenge:
            method: GET
            when: "{{% $exists($request.query.challenge) %}}"
            respond: {{status: 200, headers: {{A: b}}, body: "{{% $request.query.challenge %}}"}}
        """
    ),
    "a webhook with a key in the query": from_source(
        _webhook(f"verify: {{apiKey: {{query: key, keys: [{{name: a, value: {SECRET}}}]}}}}")
    ),
    "a Route that pages may call, a little": from_source(
        "{http: {path: /a, open: true, limits: {requests: 10, per: 1s, by: address}, "
        "cors: {origins: ['https://shop.example.com', 'http://[2001:db8::1]:8080'], headers: [X-A],"
        " exposeHeaders: [X-B], credentials: true, maxAge: 1h}}}"
    ),
    "a Route that any page may call": from_source(
        "{http: {path: /a, open: true, cors: {origins: ['*'], credentials: false}}}"
    ),
    "a webhook with a limit": from_source(
        "{webhook: {path: /a, open: true, limits: {requests: 10, per: 1s, by: address}}}"
    ),
    "a Route that says it is open": from_source("{http: {path: /a, open: true}}"),
    "a schedule": from_source("{schedule: {cron: '*/5 * * * MON-FRI'}}"),
    "a schedule in words": from_source("{schedule: {cron: '@daily'}}"),
    "a schedule with all that it can have": from_source(
        "{schedule: {cron: '30 2 * * *', timeZone: America/Argentina/Buenos_Aires, overlap: queue, "
        "missed: all, startingDeadline: 1h, body: {at: '{% $scheduledAt %}'}}}"
    ),
    "a poll": from_source(_poll("every: 5m")),
    "a poll with all that it can have": from_source(
        """
        poll:
          cron: 0 * * * *
          timeZone: Europe/Amsterdam
          call: {connector: pim, method: POST, path: /p, query: {since: "{% $watermark %}"},
                 headers: {A: b}, body: {a: 1}, idempotent: true}
          timeout: 3s
          pagination: {page: {param: page, start: 0, size: 100}, more: "{% more %}",
                       total: "{% total %}", maxPages: 7}
          records: "{% items %}"
          watermark: {value: "{% updated_at %}", initial: "2020-01-01", overlap: 1m}
          changeDetection: {fields: "{% price %}"}
        """
    ),
    "records are told apart as they are": from_source(_poll("every: 5m, changeDetection: {}")),
    **{
        f"pages by {name}": from_source(_poll(f"every: 5m, pagination: {{{name}: {written}}}"))
        for name, written in {
            "page": "{}",
            "offset": "{param: from, size: 50}",
            "cursor": "{param: after, value: '{% next %}'}, more: '{% more %}'",
            "keyset": "{param: since_id, id: '{% id %}', size: 50}, more: '{% more %}'",
            "connection": "{pageInfo: '{% data.orders.pageInfo %}'}",
            "linkHeader": "{rel: next}",
            "bodyLink": "{url: '{% links.next %}'}",
        }.items()
    },
    **{
        f"a document of {name}": from_source(_poll(f"every: 5m, document: {{{written}}}"))
        for name, written in {
            "rows": "csv: {}",
            "rows of another make": "csv: {separator: ';', header: false}, maxSize: 2Gi",
            "rows with a tab": 'csv: {separator: "\\t"}',
            "elements": "xml: {element: 'g:shop/größe', required: false}",
            "lines": "jsonLines: {}",
        }.items()
    },
    "a Route is fed by another": from_source("{route: {name: orders-in}}"),
    "a Route delivers with all that it can have": Taken(
        "Route",
        """
        source: {webhook: {path: /hooks, open: true}}
        message: {key: "{% shop %}-{% number %}", version: "{% updated_at %}"}
        delivery:
          order: key
          concurrency: 16
          retry: {attempts: 20, backoff: {initial: 1s, max: 1h}}
          onFailure: block
          timeout: 10s
          deadline: 24h
          skipIfDelivered: true
          batch: {count: 50, size: 64Ki, wait: 5s, failures: "{% errors.index %}"}
          maxBacklog: 1000
        retention: {age: 24h, count: 1000}
        privacy: {mask: [customer.email, lines.*.card, "**.iban", "`odd.name`.a", "*"]}
        steps:
          - remember: {store: orders, key: "{% id %}", value: {a: "{% a %}"},
                       reference: "{% erp %}", ttl: 720h}
          - lookup: {store: orders, key: "{% id %}"}
            into: order
            onError: {use: null}
          - lookup: {store: orders, reference: "{% erp %}"}
            into: other
        tests:
          - name: the ERP gets it
            message: {body: {a: 1}, params: {id: "1"}, query: {q: a}, headers: {A: b}, attempt: 2,
                      caller: {name: shop}}
            entries: [{store: orders, key: a, value: {b: 1}, reference: c}]
            expect:
              state: finished
              feeds: [stock, mail]
              entries: [{store: orders, key: a, value: {b: 1}, reference: c}]
        """,
    ),
    "a body is remembered as it is": taken_step("{remember: {store: orders, key: a}}"),
    "a null is remembered": taken_step("{remember: {store: orders, key: a, value: null}}"),
    "a call keeps answers for as long as they say": taken_step(
        "{call: {connector: a, method: HEAD}, cache: {mode: http, ttl: 0s}}"
    ),
    "a call keeps answers for a time under a key": taken_step(
        "{call: {connector: a, method: POST}, cache: {mode: ttl, ttl: 1m, key: a}}"
    ),
    "a Connector has a limit of calls at once": Taken(
        "Connector", _http("rateLimit: {concurrency: 16}")
    ),
    "a Connector has both limits": Taken(
        "Connector", _http("rateLimit: {requests: 60, per: 1m, concurrency: 16}")
    ),
    "a Connector has a bucket": Taken(
        "Connector", _http("rateLimit: {requests: 60, per: 1m, burst: 10, maxPause: 5m}")
    ),
    "a Connector learns nothing": Taken(
        "Connector", _http("rateLimit: {concurrency: 64, learn: false}")
    ),
    "a Connector has the shortest window": Taken(
        "Connector", _http("rateLimit: {requests: 1, per: 10ms}")
    ),
    "a Connector has the longest window": Taken(
        "Connector", _http("rateLimit: {requests: 1, per: 743h60m, maxWaiting: 1}")
    ),
    "a Connector says how it answers": Taken(
        "Connector", _http("answer: {as: base64, charset: us-ascii, failWhen: '{% error %}'}")
    ),
    "a Connector leaves a failing system alone": Taken("Connector", _http("circuitBreaker: {}")),
    "a Connector looks at the calls of a time": Taken(
        "Connector", _http("circuitBreaker: {window: 10s, failureRate: 100, minCalls: 10000}")
    ),
    "a Connector looks at its latest calls": Taken(
        "Connector", _http("circuitBreaker: {calls: 10, probes: 3, patience: 0s}")
    ),
    "a Connector has pauses of one length": Taken(
        "Connector", _http("circuitBreaker: {pause: 1m, maxPause: 60s}")
    ),
    "a Connector makes slow reads twice": Taken(
        "Connector", _http("hedge: {after: 10ms, budget: 100}")
    ),
    "a Connector takes idempotency keys": Taken("Connector", _http("idempotencyKey: {}")),
    "a Connector takes idempotency keys in a header of its own": Taken(
        "Connector", _http("idempotencyKey: {header: X-Request-Id}")
    ),
}

RESERVED = "keys may not begin with isthmus.dev/, app.kubernetes.io/component,"

REFUSED = {
    "a Connector has a transport": Refused(
        "Connector", "{}", "spec", "http must be set", "http must be set"
    ),
    "an address is an http address": Refused(
        "Connector",
        "{http: {baseUrl: erp.example.com}}",
        "spec.http.baseUrl",
        "should match '^https?://",
        "does not have the form ^https?://",
    ),
    "an address is needed": Refused(
        "Connector", "{http: {}}", "spec.http.baseUrl", REQUIRED, MISSING
    ),
    "a transport that is none": Refused("Connector", "{soap: {}}", "spec.soap", UNKNOWN, UNKNOWN),
    "a credential in plain text": Refused(
        "Connector",
        _http("auth: {bearer: {token: hunter2}}"),
        "spec.http.auth.bearer.token",
        "must be of type object",
        "must be an object",
    ),
    "a contract that is nowhere": Refused(
        "Connector",
        _http("contract: {openapi: {}}"),
        "spec.http.contract.openapi",
        "at least one of configMapKeyRef, file must be set",
        "at least one of configMapKeyRef, file must be set",
    ),
    "a contract at an absolute place": Refused(
        "Connector",
        _http("contract: {openapi: {file: /erp.yaml}}"),
        "spec.http.contract.openapi.file",
        "should match",
        "does not have the form",
    ),
    "two ways to prove who we are": Refused(
        "Connector",
        _http(
            f"auth: {{bearer: {{token: {SECRET}}}, "
            f"basic: {{username: {SECRET}, password: {SECRET}}}}}"
        ),
        "spec.http.auth",
        "exactly one of basic, bearer, apiKey, oauth2",
        "exactly one of basic, bearer, apiKey, oauth2",
    ),
    "a token without its secret": Refused(
        "Connector",
        _http(
            f"auth: {{oauth1: {{consumerKey: {SECRET}, consumerSecret: {SECRET}, "
            f"token: {SECRET}}}}}"
        ),
        "spec.http.auth.oauth1",
        "token needs tokenSecret",
        "token needs tokenSecret",
    ),
    "the secret of no token": Refused(
        "Connector",
        _http(
            f"auth: {{oauth1: {{consumerKey: {SECRET}, consumerSecret: {SECRET}, "
            f"tokenSecret: {SECRET}}}}}"
        ),
        "spec.http.auth.oauth1",
        "tokenSecret needs token",
        "tokenSecret needs token",
    ),
    "a realm with a quotation mark": Refused(
        "Connector",
        _http(
            f"auth: {{oauth1: {{consumerKey: {SECRET}, consumerSecret: {SECRET}, realm: 'a\"b'}}}}"
        ),
        "spec.http.auth.oauth1.realm",
        "should match",
        "does not have the form",
    ),
    "a region in capitals": Refused(
        "Connector",
        _http(
            f"auth: {{awsSigV4: {{accessKeyId: {SECRET}, secretAccessKey: {SECRET}, "
            "region: EU, service: es}}"
        ),
        "spec.http.auth.awsSigV4.region",
        "should match",
        "does not have the form",
    ),
    "an API key in two places": Refused(
        "Connector",
        _http(f"auth: {{apiKey: {{header: X-Key, query: key, value: {SECRET}}}}}"),
        "spec.http.auth.apiKey",
        "exactly one of header, query must be set",
        "exactly one of header, query must be set",
    ),
    "a timeout that is a number": Refused(
        "Connector", _http("timeout: 5"), "spec.http.timeout", "must be of type string", "a string"
    ),
    "a timeout with a space": Refused(
        "Connector", _http("timeout: 5 s"), "spec.http.timeout", "should match", "is not a duration"
    ),
    "a size in words": Refused(
        "Connector",
        _http("maxResponseSize: 10MB"),
        "spec.http.maxResponseSize",
        "should match",
        "is not a size",
    ),
    "no attempt at all": Refused(
        "Connector",
        _http("retry: {attempts: 0}"),
        "spec.http.retry.attempts",
        "greater than or equal to 1",
        "greater than or equal to 1",
    ),
    "a header name with a space": Refused(
        "Connector",
        _http("headers: {X Shop: nl}"),
        "spec.http.headers",
        "keys must have the form",
        "is not allowed",
    ),
    "too many scopes": Refused(
        "Connector",
        _http(
            f"auth: {{oauth2: {{tokenUrl: https://a.b, clientId: {SECRET}, "
            f"clientSecret: {SECRET}, scopes: {['s'] * 33}}}}}"
        ),
        "spec.http.auth.oauth2.scopes",
        "must have at most 32 items",
        "at most 32 items",
    ),
    "a Mapping without an expression": Refused(
        "Mapping", "{}", "spec.expression", REQUIRED, MISSING
    ),
    "an empty expression": Refused(
        "Mapping", "{expression: ''}", "spec.expression", "at least 1 char", "at least 1 char"
    ),
    "a table that is a list": Refused(
        "Mapping",
        "{expression: $, tables: {vat: [21]}}",
        "spec.tables.vat",
        "must be of type object",
        "must be an object",
    ),
    "a test without a name": Refused(
        "Mapping", "{expression: $, tests: [{expect: 1}]}", "spec.tests[0].name", REQUIRED, MISSING
    ),
    "a Route without steps": Refused(
        "Route", "{source: {http: {path: /}}}", "spec.steps", REQUIRED, MISSING
    ),
    "a Route with an empty list of steps": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: []}",
        "spec.steps",
        "at least 1 item",
        "at least 1 item",
    ),
    "too many steps": Refused(
        "Route",
        _route(", ".join(["{respond: {}}"] * 65)),
        "spec.steps",
        "must have at most 64 items",
        "at most 64 items",
    ),
    "a source that is none": Refused(
        "Route",
        "{source: {}, steps: [{respond: {}}]}",
        "spec.source",
        "exactly one of http, webhook, schedule, poll, route must be set",
        "exactly one of http, webhook, schedule, poll, route must be set",
    ),
    "a path that is not one": Refused(
        "Route",
        "{source: {http: {path: search}}, steps: [{respond: {}}]}",
        "spec.source.http.path",
        "should match",
        "does not have the form",
    ),
    "a count beside autoscaling": refused_beside(
        "{autoscaling: {maxReplicas: 3, cpu: 70}, replicas: 3}",
        "",
        server="autoscaling sets the count: leave replicas out",
    ),
    "no replicas beside autoscaling": refused_beside(
        "{autoscaling: {maxReplicas: 3, cpu: 70}, replicas: 0}",
        "",
        server="autoscaling sets the count: leave replicas out",
    ),
    "autoscaling without a target": refused_beside(
        "{autoscaling: {maxReplicas: 3}}",
        "autoscaling",
        server="at least one of cpu, requestsInFlight must be set",
    ),
    "autoscaling without a bound": refused_beside(
        "{autoscaling: {cpu: 70}}", "autoscaling.maxReplicas", server=REQUIRED, file=MISSING
    ),
    "bounds of autoscaling the wrong way round": refused_beside(
        "{autoscaling: {minReplicas: 4, maxReplicas: 3, cpu: 70}}",
        "autoscaling",
        server="minReplicas may not be more than maxReplicas",
    ),
    "autoscaling to none": refused_beside(
        "{autoscaling: {minReplicas: 0, maxReplicas: 3, cpu: 70}}",
        "autoscaling.minReplicas",
        server="greater than or equal to 1",
    ),
    "scaling by requests where there are none": Refused(
        "Route",
        "{source: {schedule: {cron: '@daily'}}, steps: [{call: {connector: erp}}], "
        "autoscaling: {maxReplicas: 3, requestsInFlight: 20}}",
        "spec",
        "autoscaling.requestsInFlight belongs to source.http or source.webhook only",
        "autoscaling.requestsInFlight belongs to source.http or source.webhook only",
    ),
    "fewer than no replicas": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], replicas: -1}",
        "spec.replicas",
        "greater than or equal to 0",
        "greater than or equal to 0",
    ),
    "more replicas than Kubernetes can count": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], replicas: 2147483648}",
        "spec.replicas",
        "less than or equal to 2147483647",
        "less than or equal to 2147483647",
    ),
    "a variable that cannot be one": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], env: {SHOP-URL: a}}",
        "spec.env",
        "keys must have the form",
        "is not allowed",
    ),
    "a value of env that is a number": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], env: {shop: 1}}",
        "spec.env.shop",
        "must be of type string",
        "a string",
    ),
    "an empty branch": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], branches: {one: []}}",
        "spec.branches.one",
        "at least 1 item",
        "at least 1 item",
    ),
    "a test that expects nothing": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], tests: [{name: a, expect: {}}]}",
        "spec.tests[0].expect",
        "must validate at least one schema",
        "at least one of calls, entries, status, headers, body, state, feeds must be set",
    ),
    "an answer with two bodies": Refused(
        "Route",
        "{source: {http: {path: /}}, steps: [{respond: {}}], tests: [{name: a, "
        "expect: {status: 200}, answers: [{connector: a, body: null, text: b}]}]}",
        "spec.tests[0].answers[0]",
        "must not validate the schema",
        "at most one of body, text, fail may be set",
    ),
    "two verbs in a step": refused_step(
        "{call: {connector: erp}, map: {mapping: a}}",
        "",
        server="exactly one of call, map, filter, choice, split, aggregate, scatter, validate, "
        "remember, lookup, respond must be set",
    ),
    "a step without a verb": refused_step("{name: a}", "", server="exactly one of call, map,"),
    "a verb that is misspelt": refused_step("{cal: {connector: erp}}", ".cal", server=UNKNOWN),
    "a field that a call does not have": refused_step(
        "{call: {connector: erp, timeout: 3s}}", ".call.timeout", server=UNKNOWN
    ),
    "a call of nothing": refused_step(
        "{call: {}}", ".call.connector", server=REQUIRED, file=MISSING
    ),
    "a Connector's name that cannot be one": refused_step(
        "{call: {connector: ERP}}",
        ".call.connector",
        server="should match",
        file="does not have the form",
    ),
    "a method in lower case": refused_step(
        "{call: {connector: erp, method: post}}",
        ".call.method",
        server='supported values: "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"',
        file="'post' is not one of",
    ),
    "a query parameter that is a number": refused_step(
        "{call: {connector: erp, query: {limit: 20}}}",
        ".call.query.limit",
        server="must be of type string",
        file="must be a string",
    ),
    "a timeout beside a mapping": refused_step(
        "{map: {mapping: a}, timeout: 3s}", "", server="timeout belongs to call only"
    ),
    "two bodies": refused_step(
        "{call: {connector: erp, form: {a: b}, text: c}}",
        ".call",
        server="must not validate the schema",
        file="at most one of body, form, multipart, text may be set",
    ),
    "a header in a content type": refused_step(
        '{call: {connector: erp, multipart: [{name: a, value: b, contentType: "a/b\\r\\nc: d"}]}}',
        ".call.multipart[0].contentType",
        server="should match",
        file="does not have the form",
    ),
    "a cache with a key beside what answers say": refused_step(
        "{call: {connector: a}, cache: {mode: http, ttl: 3s, key: a}}",
        ".cache",
        server="key needs mode: ttl",
    ),
    "a cache of what changes something by what answers say": refused_step(
        "{call: {connector: a, method: PUT}, cache: {mode: http, ttl: 3s}}",
        "",
        server="cache.mode: http belongs to GET and HEAD only",
    ),
    "a cache beside a mapping": refused_step(
        "{map: {mapping: a}, cache: {ttl: 3s}}", "", server="cache belongs to call only"
    ),
    "a filter into a variable": refused_step(
        '{filter: "{% $ %}", into: paid}',
        "",
        server="into belongs to call, map, choice, split, aggregate, scatter or lookup only",
    ),
    "a filter without marks": refused_step(
        "{filter: paid}", ".filter", server="should match", file="does not have the form"
    ),
    "a mapping twice": refused_step(
        "{map: {mapping: a, expression: $}}",
        ".map",
        server="exactly one of mapping, expression must be set",
    ),
    "an error with two answers": refused_step(
        "{call: {connector: erp}, onError: {use: null, respond: {}}}",
        ".onError",
        server="must validate one and only one schema (oneOf)",
        file="exactly one of use, respond must be set",
    ),
    "an error with no answer": refused_step(
        "{call: {connector: erp}, onError: {}}",
        ".onError",
        server="must validate one and only one schema (oneOf)",
        file="exactly one of use, respond must be set",
    ),
    "a status that no answer has": refused_step(
        "{respond: {status: 99}}", ".respond.status", server="greater than or equal to 200"
    ),
    "a choice of nothing": refused_step(
        "{choice: {when: []}}", ".choice.when", server="at least 1 item"
    ),
    **{
        f"a label under {key}": refused_beside(
            f"podTemplate: {{labels: {{{key}: a}}}}", "podTemplate.labels", server=RESERVED
        )
        for key in (
            "isthmus.dev/route",
            "app.kubernetes.io/instance",
            "app.kubernetes.io/managed-by",
            "argocd.argoproj.io/instance",
            "kustomize.toolkit.fluxcd.io/name",
        )
    },
    **{
        f"an annotation under {key}": refused_beside(
            f"podTemplate: {{annotations: {{{key}: a}}}}",
            "podTemplate.annotations",
            server=RESERVED,
        )
        for key in (
            "isthmus.dev/plan",
            "kubectl.kubernetes.io/restartedAt",
            "argocd.argoproj.io/tracking-id",
            "meta.helm.sh/release-name",
        )
    },
    "an annotation of an Ingress under meta.helm.sh/": refused_beside(
        "expose: {annotations: {meta.helm.sh/release-name: a}}",
        "expose.annotations",
        server=RESERVED,
    ),
    "a label that cannot be one": refused_beside(
        "podTemplate: {labels: {team: a/b}}",
        "podTemplate.labels.team",
        server="should match",
        file="does not have the form",
    ),
    "an environment variable of the operator": refused_beside(
        "podTemplate: {env: [{name: ISTHMUS_PLAN, value: /tmp/plan.json}]}",
        "podTemplate.env[0].name",
        server="names that begin with ISTHMUS_ are set by the operator",
    ),
    "an environment variable twice": refused_beside(
        "podTemplate: {env: [{name: A, value: a}, {name: A, value: b}]}",
        "podTemplate.env",
        server="a name may stand once only",
    ),
    "an environment variable without a value": refused_beside(
        "podTemplate: {env: [{name: A}]}",
        "podTemplate.env[0]",
        server="exactly one of value, valueFrom must be set",
    ),
    "an environment variable from two places": refused_beside(
        "podTemplate: {env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}, "
        "configMapKeyRef: {name: a, key: b}}}]}",
        "podTemplate.env[0].valueFrom",
        server="exactly one of secretKeyRef, configMapKeyRef must be set",
    ),
    "a Secret to pull with, twice": refused_beside(
        "podTemplate: {imagePullSecrets: [{name: a}, {name: a}]}",
        "podTemplate.imagePullSecrets",
        server="a name may stand once only",
    ),
    "a toleration of nothing": refused_beside(
        "podTemplate: {tolerations: [{effect: NoSchedule}]}",
        "podTemplate.tolerations[0]",
        server="without a key the operator must be Exists",
    ),
    "a toleration that exists and has a value": refused_beside(
        "podTemplate: {tolerations: [{key: a, operator: Exists, value: b}]}",
        "podTemplate.tolerations[0]",
        server="value belongs to the operator Equal only",
    ),
    "a toleration that ends and keeps nobody": refused_beside(
        "podTemplate: {tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 3}]}",
        "podTemplate.tolerations[0]",
        server="tolerationSeconds belongs to the effect NoExecute only",
    ),
    "CPU as a number": refused_beside(
        "resources: {requests: {cpu: 1}}",
        "resources.requests.cpu",
        server="must be of type string",
        file="must be a string",
    ),
    "CPU in words": refused_beside(
        "resources: {requests: {cpu: half}}",
        "resources.requests.cpu",
        server="should match",
        file="is not an amount of CPU",
    ),
    "more CPU asked for than allowed": refused_beside(
        "resources: {requests: {cpu: '2'}, limits: {cpu: 1500m}}",
        "resources",
        server="requests.cpu may not be more than limits.cpu",
    ),
    "more memory asked for than allowed": refused_beside(
        "resources: {requests: {memory: 1Gi}, limits: {memory: 1000M}}",
        "resources",
        server="requests.memory may not be more than limits.memory",
    ),
    "an Ingress behind a Gateway": refused_beside(
        "expose: {ingressClassName: nginx, gateway: {name: public}}",
        "expose",
        server="at most one of gateway, ingressClassName may be set",
    ),
    "a certificate behind a Gateway": refused_beside(
        "expose: {tlsSecretName: tls, gateway: {name: public}}",
        "expose",
        server="at most one of gateway, tlsSecretName may be set",
    ),
    "a host that is an address": refused_beside(
        "expose: {host: 'https://shop.example.com'}",
        "expose.host",
        server="should match",
        file="does not have the form",
    ),
    "a step that is a word": refused_step(
        "respond", "", server="must be of type object", file="must be an object"
    ),
}

ONE_WAY = (
    "exactly one of page, offset, cursor, keyset, connection, linkHeader, bodyLink must be set"
)
VERIFIED: dict[str, Any] = yaml.safe_load(f"""
all that goes together:
  hmac: {{header: A, algorithm: sha1, encoding: hex, prefix: a, signed: "{{% $body %}}",
          timestamp: "{{% a %}}", tolerance: 1m, secret: {SECRET}, secondSecret: {SECRET},
          secretEncoding: hex}}
  basic: {{users: [{{name: a, username: {SECRET}, password: {SECRET}}}]}}
  apiKey: {{header: A, keys: [{{name: a, value: {SECRET}}}]}}
  clientCertificate:
    header: A
    ingress: [10.0.0.0/8]
    verified: {{header: B, value: c}}
    certificates: [{{name: a, value: CN=a}}]
  allowFrom: [10.0.0.1]
a key in the query: {{apiKey: {{query: key, keys: [{{name: a, value: {SECRET}}}]}}}}
fixed tokens: {{bearer: {{tokens: [{{name: a, value: {SECRET}}}]}}}}
tokens of an issuer that publishes its keys:
  jwt: {{issuer: a, audience: [b], algorithms: [RS256, EdDSA], jwksUrl: "https://a.b/c", leeway: 1m,
         claims: {{scope: [orders], tenant: []}}}}
tokens of an issuer whose keys are given:
  jwt: {{issuer: a, audience: [b], keys: [{{kty: RSA, n: a, e: AQAB}}]}}
""")
TAKEN |= {
    f"{name}, for {source}": from_source(
        json.dumps({source: {"path": "/a", "trustedProxies": ["10.0.0.1"], field: verify}})
    )
    for name, verify in VERIFIED.items()
    for source, field in (("http", "auth"), ("webhook", "verify"))
}

UNVERIFIED = "either verify must be set, or open: true"

REFUSED |= {
    "two sources": refused_source(
        "{http: {path: /a}, route: {name: b}}",
        "",
        server="exactly one of http, webhook, schedule, poll, route must be set",
    ),
    "a webhook that nobody verifies": refused_source(
        "{webhook: {path: /a}}", ".webhook", server=UNVERIFIED
    ),
    "a webhook that is not open": refused_source(
        _webhook("open: false"), ".webhook", server=UNVERIFIED
    ),
    "a webhook that is open and verified": refused_source(
        _webhook(f"open: true, verify: {{bearer: {{tokens: [{{name: a, value: {SECRET}}}]}}}}"),
        ".webhook",
        server=UNVERIFIED,
    ),
    "a verification of nothing": refused_source(
        _webhook("verify: {}"),
        ".webhook.verify",
        server="at least one of hmac, jwt, bearer, basic, apiKey, clientCertificate, allowFrom "
        "must be set",
    ),
    "two things in one header": refused_source(
        _webhook(
            f"verify: {{bearer: {{tokens: [{{name: a, value: {SECRET}}}]}}, "
            f"basic: {{users: [{{name: a, username: {SECRET}, password: {SECRET}}}]}}}}"
        ),
        ".webhook.verify",
        server="at most one of jwt, bearer, basic may be set",
    ),
    "any page with credentials": refused_source(
        "{http: {path: /a, open: true, cors: {origins: ['*'], credentials: true}}}",
        ".http.cors",
        server="credentials: true needs origins by name, not *",
    ),
    "an origin with a path": refused_source(
        "{http: {path: /a, open: true, cors: {origins: ['https://shop.example.com/']}}}",
        ".http.cors.origins[0]",
        server="should match",
        file="does not have the form",
    ),
    "a Route that is open and asks": refused_source(
        "{http: {path: /a, open: true, auth: {allowFrom: [10.0.0.1]}}}",
        ".http",
        server="auth and open: true exclude each other",
    ),
    "a token signed by nobody": refused_source(
        "{http: {path: /a, auth: {jwt: {issuer: a, audience: [b], algorithms: [none], "
        "jwksUrl: 'https://a.b'}}}}",
        ".http.auth.jwt.algorithms[0]",
        server='Unsupported value: "none"',
        file="'none' is not one of",
    ),
    "a token signed with a shared secret": refused_source(
        "{http: {path: /a, auth: {jwt: {issuer: a, audience: [b], algorithms: [HS256], "
        "jwksUrl: 'https://a.b'}}}}",
        ".http.auth.jwt.algorithms[0]",
        server='Unsupported value: "HS256"',
        file="'HS256' is not one of",
    ),
    "a token without keys": refused_source(
        "{http: {path: /a, auth: {jwt: {issuer: a, audience: [b]}}}}",
        ".http.auth.jwt",
        server="exactly one of jwksUrl, keys must be set",
    ),
    "an address that is a name": refused_source(
        _webhook("verify: {allowFrom: [shop.example.com]}"),
        ".webhook.verify.allowFrom[0]",
        server="should match",
        file="does not have the form",
    ),
    "a hash that is broken": refused_source(
        _webhook(f"verify: {{hmac: {{header: A, algorithm: md5, secret: {SECRET}}}}}"),
        ".webhook.verify.hmac.algorithm",
        server='supported values: "sha256", "sha512", "sha1"',
        file="'md5' is not one of",
    ),
    "a reply that says no": refused_source(
        _webhook("open: true, reply: {status: 400}"),
        ".webhook.reply.status",
        server="less than or equal to 299",
    ),
    "a cron with a field too few": refused_source(
        "{schedule: {cron: '* * * *'}}",
        ".schedule.cron",
        server="should match",
        file="does not have the form",
    ),
    "a cron with seconds": refused_source(
        "{schedule: {cron: '0 * * * * *'}}",
        ".schedule.cron",
        server="should match",
        file="does not have the form",
    ),
    "a time zone that is an offset": refused_source(
        "{schedule: {cron: '@daily', timeZone: '+01:00'}}",
        ".schedule.timeZone",
        server="should match",
        file="does not have the form",
    ),
    "a poll that never runs": refused_source(
        "{poll: {call: {connector: pim}}}",
        ".poll",
        server="exactly one of every, cron must be set",
    ),
    "a poll with two clocks": refused_source(
        _poll("every: 5m, cron: '@daily'"), ".poll", server="exactly one of every, cron must be set"
    ),
    "a time zone without a cron": refused_source(
        _poll("every: 5m, timeZone: UTC"), ".poll", server="timeZone belongs to cron only"
    ),
    "pages in no way": refused_source(
        _poll("every: 5m, pagination: {maxPages: 3}"), ".poll.pagination", server=ONE_WAY
    ),
    "pages in two ways": refused_source(
        _poll("every: 5m, pagination: {page: {}, linkHeader: {}}"),
        ".poll.pagination",
        server=ONE_WAY,
    ),
    "more where a link says it": refused_source(
        _poll("every: 5m, pagination: {linkHeader: {}, more: '{% more %}'}"),
        ".poll.pagination",
        server="more belongs to page, offset, cursor or keyset only",
    ),
    "a total of pages that do not move": refused_source(
        _poll("every: 5m, pagination: {keyset: {param: a}, total: '{% total %}'}"),
        ".poll.pagination",
        server="total belongs to page or offset only",
    ),
    "an id in no parameter": refused_source(
        _poll("every: 5m, pagination: {keyset: {}}"),
        ".poll.pagination.keyset.param",
        server="Required value",
        file="is missing",
    ),
    "a connection without its page info": refused_source(
        _poll("every: 5m, pagination: {connection: {pageInfo: data.pageInfo}}"),
        ".poll.pagination.connection.pageInfo",
        server="should match",
        file="does not have the form",
    ),
    "records by a text": refused_source(
        _poll("every: 5m, records: items"),
        ".poll.records",
        server="should match",
        file="does not have the form",
    ),
    "a document in pages": refused_source(
        _poll("every: 5m, document: {csv: {}}, pagination: {page: {}}"),
        ".poll",
        server="at most one of document, pagination may be set",
    ),
    "a document of no kind": refused_source(
        _poll("every: 5m, document: {maxSize: 1Gi}"),
        ".poll.document",
        server="exactly one of csv, xml, jsonLines must be set",
    ),
    "a document of two kinds": refused_source(
        _poll("every: 5m, document: {csv: {}, jsonLines: {}}"),
        ".poll.document",
        server="exactly one of csv, xml, jsonLines must be set",
    ),
    "elements that have no name": refused_source(
        _poll("every: 5m, document: {xml: {}}"),
        ".poll.document.xml.element",
        server="Required value",
        file="is missing",
    ),
    "elements from nowhere": refused_source(
        _poll("every: 5m, document: {xml: {element: /shop/product}}"),
        ".poll.document.xml.element",
        server="should match",
        file="does not have the form",
    ),
    "a separator of two characters": refused_source(
        _poll("every: 5m, document: {csv: {separator: '||'}}"),
        ".poll.document.csv.separator",
        server="Too long",
        file="at most 1 character",
    ),
    "a version without a key": refused_beside(
        "message: {version: '{% a %}'}", "message", server="version belongs to key only"
    ),
    "an order that is none": refused_beside(
        "delivery: {order: all}",
        "delivery.order",
        server='supported values: "none", "key"',
        file="'all' is not one of",
    ),
    "a block without order": refused_beside(
        "delivery: {onFailure: block}", "delivery", server="onFailure: block needs order: key"
    ),
    "a batch of one": refused_beside(
        "delivery: {batch: {count: 1}}",
        "delivery.batch.count",
        server="greater than or equal to 2",
    ),
    "a path to mask that is none": refused_beside(
        "privacy: {mask: [customer..email]}",
        "privacy.mask[0]",
        server="should match",
        file="does not have the form",
    ),
    "nothing to mask": refused_beside(
        "privacy: {mask: []}", "privacy.mask", server="at least 1 item"
    ),
    "an entry looked up both ways": refused_step(
        "{lookup: {store: a, key: b, reference: c}, into: x}",
        ".lookup",
        server="exactly one of key, reference must be set",
    ),
    "an entry looked up for nobody": refused_step(
        "{lookup: {store: a, key: b}}", "", server="lookup needs into"
    ),
    "an entry remembered into a variable": refused_step(
        "{remember: {store: a, key: b}, into: x}",
        "",
        server="into belongs to call, map, choice, split, aggregate, scatter or lookup only",
    ),
    "a test with a request and a message": refused_beside(
        "tests: [{name: a, request: {}, message: {}, expect: {status: 200}}]",
        "tests[0]",
        server="at most one of request, message may be set",
    ),
    "a token for nobody": Refused(
        "Connector",
        _oauth(f"clientId: {SECRET}"),
        "spec.http.auth.oauth2",
        "at least one of clientSecret, password, refreshToken, jwtBearer must be set",
        "at least one of clientSecret, password, refreshToken, jwtBearer must be set",
    ),
    "a token for two reasons": Refused(
        "Connector",
        _oauth(f"refreshToken: {{token: {SECRET}}}, jwtBearer: {{privateKey: {SECRET}}}"),
        "spec.http.auth.oauth2",
        "at most one of password, refreshToken, jwtBearer may be set",
        "at most one of password, refreshToken, jwtBearer may be set",
    ),
    "a client's secret without its name": Refused(
        "Connector",
        _oauth(f"clientSecret: {SECRET}"),
        "spec.http.auth.oauth2",
        "clientSecret needs clientId",
        "clientSecret needs clientId",
    ),
    "a signature that nothing carries": Refused(
        "Connector",
        _http(f"auth: {{hmac: {{secret: {SECRET}, signed: a}}}}"),
        "spec.http.auth.hmac",
        "at least one of headers, query must be set",
        "at least one of headers, query must be set",
    ),
    "a bundle from two places": Refused(
        "Connector",
        _http(
            "tls: {caBundle: {configMapKeyRef: {name: a, key: b}, secretKeyRef: {name: a, key: b}}}"
        ),
        "spec.http.tls.caBundle",
        "exactly one of configMapKeyRef, secretKeyRef must be set",
        "exactly one of configMapKeyRef, secretKeyRef must be set",
    ),
    "a proxy that is asked with TLS": Refused(
        "Connector",
        _http('proxy: {url: "https://proxy"}'),
        "spec.http.proxy.url",
        "should match",
        "http://",
    ),
    "a log-in that gives nothing": Refused(
        "Connector",
        _session("login: {path: /login}"),
        "spec.http.auth.session",
        "at least one of token, cookies must be set",
        "at least one of token, cookies must be set",
    ),
    "a token that no header carries": Refused(
        "Connector",
        _session('login: {path: /login}, token: "{% a %}"'),
        "spec.http.auth.session",
        "token needs headers",
        "token needs headers",
    ),
    "a log-in with two bodies": Refused(
        "Connector",
        _session("login: {path: /login, body: {}, form: {}}, cookies: [S]"),
        "spec.http.auth.session.login",
        "must not validate the schema (not)",
        "at most one of body, form may be set",
    ),
    "a limit of nothing": Refused(
        "Connector",
        _http("rateLimit: {per: 1m}"),
        "spec.http.rateLimit",
        "at least one of requests, concurrency must be set",
        "at least one of requests, concurrency must be set",
    ),
    "a bucket that nothing fills": Refused(
        "Connector",
        _http("rateLimit: {concurrency: 4, burst: 10}"),
        "spec.http.rateLimit",
        "burst needs requests",
        "burst needs requests",
    ),
    "a window of nothing": Refused(
        "Connector",
        _http("rateLimit: {requests: 4, per: 0s}"),
        "spec.http.rateLimit.per",
        "a length of time from 10ms to 744h is wanted",
        "a length of time from 10ms to 744h is wanted",
    ),
    "a window of months": Refused(
        "Connector",
        _http("rateLimit: {requests: 4, per: 2000h}"),
        "spec.http.rateLimit.per",
        "a length of time from 10ms to 744h is wanted",
        "a length of time from 10ms to 744h is wanted",
    ),
    "a circuit that looks at two things": Refused(
        "Connector",
        _http("circuitBreaker: {window: 1m, calls: 100}"),
        "spec.http.circuitBreaker",
        "at most one of window, calls may be set",
        "at most one of window, calls may be set",
    ),
    "a circuit that never opens": Refused(
        "Connector",
        _http("circuitBreaker: {calls: 9}"),
        "spec.http.circuitBreaker",
        "minCalls (10 unless written) must not be more than calls",
        "minCalls (10 unless written) must not be more than calls",
    ),
    "a first pause beyond the longest": Refused(
        "Connector",
        _http("circuitBreaker: {pause: 61s}"),
        "spec.http.circuitBreaker",
        "pause (5s unless written) must not be longer than maxPause (1m)",
        "pause (5s unless written) must not be longer than maxPause (1m)",
    ),
    "a second attempt at once": Refused(
        "Connector",
        _http("hedge: {after: 0s}"),
        "spec.http.hedge.after",
        "a length of time from 10ms to 744h is wanted",
        "a length of time from 10ms to 744h is wanted",
    ),
    "a second attempt at no known time": Refused(
        "Connector", _http("hedge: {}"), "spec.http.hedge.after", REQUIRED, MISSING
    ),
    "a pause of nothing": Refused(
        "Connector",
        _http("rateLimit: {requests: 4, maxPause: 1ms}"),
        "spec.http.rateLimit.maxPause",
        "a length of time from 10ms to 744h is wanted",
        "a length of time from 10ms to 744h is wanted",
    ),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_both_take(api: httpx.Client, case: Taken) -> None:
    value = _object(case.kind, yaml.safe_load(case.spec))

    assert _read(value) == []
    assert _create(api, value).status_code == httpx.codes.CREATED


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_both_refuse_and_say_why(api: httpx.Client, case: Refused) -> None:
    value = _object(case.kind, yaml.safe_load(case.spec))
    problems = _read(value)
    answer = _create(api, value)
    message = answer.json()["message"]

    assert answer.is_client_error, answer.text
    assert case.at in message
    assert case.server in message
    assert any(_is_at(problem, case.at) for problem in problems), problems
    assert any(case.file in problem.message for problem in problems), problems


def _is_at(problem: Problem, path: str) -> bool:
    """Whether a problem is told of `path`, or of a key in the map there."""
    return path in (problem.field, problem.field.rpartition(".")[0])


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_both_judge_every_small_change_alike(api: httpx.Client, case: Taken) -> None:
    spec = yaml.safe_load(case.spec)
    judged = [_judge(api, _object(case.kind, each)) for each in _changes(spec)]

    assert "\n".join(verdict for verdict in judged if verdict) == ""


def _judge(api: httpx.Client, value: dict[str, Any]) -> str:
    """What a file and the cluster disagree on; nothing when they take or refuse alike."""
    read = manifests.read(json.dumps(value).encode(), file="object.json")
    answer = _create(api, value)
    if not answer.is_success:
        return "" if read.problems else f"only the server refuses {value['spec']}: {answer.text}"
    if problems := _without_known_differences(read.problems):
        return f"only the file refuses {value['spec']}: {problems}"
    return _lost(answer.content, read.resources[0]) if read.resources else ""


def _lost(stored: bytes, written: Resource[Model]) -> str:
    """How what is stored differs in meaning from what was written; the defaults do not."""
    (back,) = manifests.read(stored, file="server.json").resources
    told = back.spec.canonical()
    return "" if told == written.spec.canonical() else f"{written.spec.canonical()} became {told}"


def test_all_fields_are_tried() -> None:
    """Whoever adds a field adds it to what both take, and then every small change to it is judged.

    Branches hold the same steps again; one of them will do.
    """
    tried = {
        path
        for case in TAKEN.values()
        for path in _fields(crd.schema(KINDS[case.kind].spec), yaml.safe_load(case.spec), case.kind)
    }
    all_fields = {
        path for kind in KINDS.values() for path in _fields(crd.schema(kind.spec), ANY, kind.name)
    }

    assert {path for path in all_fields - tried if "branches.*[]" not in path} == set()


ANY: Any = object()
"""Stands for a value that has all fields."""


def _fields(schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    """The paths of the fields that `value` has, by the schema of it."""
    for name, field in schema.get("properties", {}).items():
        if value is ANY or (isinstance(value, dict) and name in value):
            yield f"{path}.{name}"
            yield from _fields(field, value if value is ANY else value[name], f"{path}.{name}")
    for inner, mark in (("items", "[]"), ("additionalProperties", ".*")):
        for each in _entries(value) if inner in schema else ():
            yield from _fields(schema[inner], each, f"{path}{mark}")


def _entries(value: Any) -> list[Any]:
    match value:
        case list():
            return value
        case dict():
            return list(value.values())
        case _:
            return [ANY] if value is ANY else []


def _without_known_differences(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out what only a file refuses, and what is told of the lists around it."""
    known = [problem.path for problem in problems if _only_a_file_refuses(problem)]
    return [
        problem
        for problem in problems
        if not any(path[: len(problem.path)] == problem.path for path in known)
    ]


def _only_a_file_refuses(problem: Problem) -> bool:
    """The server drops entries of maps that are null. It cannot check the names of variables and
    tables that may hold any JSON."""
    holder, name = problem.path[-2:] if len(problem.path) > 1 else ("", "")
    is_dropped = holder in MAPS and isinstance(name, str) and "null" in problem.message
    return is_dropped or (holder in FREE_MAPS and "is not allowed" in problem.message)


MAPS = (
    "env",
    "branches",
    "claims",
    "tables",
    "sharedTables",
    "headers",
    "query",
    "params",
    "labels",
    "annotations",
    "nodeSelector",
    "claims",
    "form",
    "secrets",
)
FREE_MAPS = ("variables", "tables")


def _changes(spec: Any) -> Iterator[Any]:
    """Copies of `spec`, each with one value removed or made odd, one field or one item added."""
    for path in _paths(spec):
        changed = copy.deepcopy(spec)
        del _at(changed, path[:-1])[path[-1]]
        yield changed
        for odd in _odd(_at(spec, path)):
            changed = copy.deepcopy(spec)
            _at(changed, path[:-1])[path[-1]] = odd
            yield changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            inner: list[tuple[Any, Any]] = list(value.items())
        case list():
            inner = list(enumerate(value))
        case _:
            inner = []
    for key, each in inner:
        yield (*path, key)
        yield from _paths(each, (*path, key))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _odd(value: Any) -> list[Any]:
    match value:
        case bool():
            return [None, "true", 1]
        case int():
            return [None, -1, 0, 10**10, 1.5, str(value)]
        case str():
            return [None, 1, "", "A B", "x" * 300, "x" * 300_000, [value]]
        case list():
            return [None, [], {}, [None], [*value, 1], value * 300]
        case dict():
            return [None, {}, [], "x", *({**value, name: odd} for name, odd in ADDED.items())]
        case _:
            return []


ADDED: dict[str, Any] = {
    "odd": 1,
    "B b": "x",
    "x" * 300: "x",
    "filter": "{% $ %}",
    "respond": {},
    "use": None,
    "into": "x",
    "timeout": "1s",
    "body": {"a": None},
    "query": "x",
}


NAMED = {
    "small letters": ("search", True),
    "digits and dashes inside": ("search-2-nl", True),
    "one letter": ("s", True),
    "63 characters": ("s" * 63, True),
    "64 characters": ("s" * 64, False),
    "a digit first": ("2-search", False),
    "a dot": ("search.nl", False),
}


@pytest.mark.parametrize(("name", "is_taken"), NAMED.values(), ids=NAMED)
def test_a_route_has_a_name_that_a_service_may_have(
    api: httpx.Client, name: str, is_taken: bool
) -> None:
    value = _object("Route", yaml.safe_load(_route("{respond: {}}")), name=name)
    said = "the name becomes that of a Service: small letters, digits and '-', a letter first"
    problems = _read(value)
    answer = _create(api, value)

    assert answer.is_success is is_taken, answer.text
    assert (said in answer.text) is not is_taken
    assert [problem.field for problem in problems] == [] if is_taken else ["metadata.name"]
    assert all(said in problem.message for problem in problems)


@pytest.mark.parametrize("kind", ["Connector", "Mapping"])
def test_other_kinds_have_any_name_that_kubernetes_takes(api: httpx.Client, kind: str) -> None:
    spec = {"http": {"baseUrl": "https://a.b"}} if kind == "Connector" else {"expression": "$"}
    value = _object(kind, spec, name="2.search")

    assert _read(value) == []
    assert _create(api, value).is_success


def _object(kind: str, spec: Any, *, name: str = "case") -> dict[str, Any]:
    return {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _create(api: httpx.Client, value: dict[str, Any]) -> httpx.Response:
    """Ask whether the server would take the object, as `kubectl --validate=strict` does."""
    path = f"/apis/isthmus.dev/v1alpha1/namespaces/default/{value['kind'].lower()}s"
    return api.post(path, json=value, params={"dryRun": "All", "fieldValidation": "Strict"})


def _read(value: dict[str, Any]) -> list[Problem]:
    return list(manifests.read(json.dumps(value).encode(), file="object.json").problems)
