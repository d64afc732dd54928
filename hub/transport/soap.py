"""SOAP through zeep: the description is read once and offline, every call has limits, faults become our errors.

The one host that is spoken to is the connection's: where a WSDL names another (an internal one is
usual), only its path is used. Nothing that a WSDL imports is fetched from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hub.errors import ConfigError, HubError, StopRun
from hub.transport.effects import Effect
from hub.transport.http import Answer, Call, Http
from hub.transport.outcomes import error_of_answer, unanswered
from hub.transport.redaction import redact

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_OURS = Path(__file__).with_name("soap_encoding.xsd")

LONGEST_TAG = 64 * 2**10
_TAG = re.compile(rb"<[^<>]{1000,}")  # shorter ones are not worth a look

# SOAP 1.1 section 4.4.1 and SOAP 1.2 part 1 section 5.4.6: whose fault a fault is.
_THEIRS = {"Server", "Receiver"}

Faults = Mapping[str, Callable[[str], HubError]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an operation answered: plain values by name, and the envelope as it arrived."""

    value: Any
    raw: bytes
    url: str


class TooLarge(StopRun):
    """The service refuses a request for its size (HTTP 413); nothing was carried out."""


class Soap:
    """The operations of one service; ``faults`` maps the vendor's fault codes to errors.

    ``wsdl`` is a path on the connection's host, a URL on that host, or ``file:`` and a path.
    ``strict=False`` reads servers that answer in a wrong order or with undeclared prefixes.
    """

    def __init__(self, http: Http, wsdl: str, *, strict: bool = True, faults: Faults | None = None) -> None:
        self.http = http
        self.wsdl = http.connection.url + wsdl if wsdl.startswith("/") else wsdl
        self.strict = strict
        self.faults = faults or {}
        self._carrier = _Carrier(http, self.wsdl)

    def operations(self) -> frozenset[str]:
        """The names that the description offers."""
        return frozenset(self._port.binding.all())

    def make(self, type_name: str, *items: Any, **fields: Any) -> Any:
        """A value of a type of the description, ``{namespace}name``; rpc/encoded arrays take a list of such values."""
        return self._client.get_type(type_name)(*items, **fields)

    def call(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        effect: Effect = Effect.NONE,
        cost: float = 1.0,
    ) -> Reply:
        """Call ``operation``; repeated for seconds as its effect allows."""
        if operation not in self.operations():
            raise ConfigError(f"offers no operation {operation}", self.wsdl)
        return self.http.retry.run(
            lambda: self._once(operation, effect, cost, arguments or {}),
            outage=self.http.outage,
            effect=effect,
        )

    def _once(self, operation: str, effect: Effect, cost: float, arguments: Mapping[str, Any]) -> Reply:
        from zeep.helpers import serialize_object

        self._carrier.effect, self._carrier.cost = effect, cost
        with self._errors(operation, effect):
            value = getattr(self._service, operation)(**arguments)
        answer = self._carrier.answer
        plain = serialize_object(value, dict)  # type: ignore[no-untyped-call]
        return Reply(value=plain, raw=answer.body, url=answer.url)

    @contextmanager
    def _errors(self, operation: str, effect: Effect) -> Iterator[None]:
        from zeep import exceptions

        system = self.http.connection.id
        try:
            yield
        except exceptions.Fault as fault:
            raise self._error_of_fault(fault, operation, effect) from None
        except (exceptions.ValidationError, TypeError) as error:
            raise StopRun(redact(f"{system}: {operation} does not take what is sent to it: {error}")) from error
        except (exceptions.DTDForbidden, exceptions.EntitiesForbidden):
            raise StopRun(f"{system}: the answer of {operation} declares a document type, which is refused") from None
        except (exceptions.Error, ValueError, LookupError) as error:
            sentence = (
                f"{system}: the answer of {operation} does not follow the WSDL ({_short(error)}); "
                "the option strict: false reads servers that are less exact"
            )
            raise StopRun(sentence) if effect is Effect.NONE else unanswered(sentence, effect) from error

    def _error_of_fault(self, fault: Any, operation: str, effect: Effect) -> HubError:
        codes = _codes(fault)
        sentence = redact(f"{self.http.connection.id}: {operation} failed with {codes[0]}: {fault.message}")
        for code in codes:
            if code in self.faults:
                return self.faults[code](sentence)
        return unanswered(sentence, effect) if codes[-1] in _THEIRS else StopRun(sentence)

    @cached_property
    def _client(self) -> Any:
        import zeep
        from lxml.etree import LxmlError

        settings = zeep.Settings(
            strict=self.strict, xsd_ignore_sequence_order=not self.strict, forbid_dtd=True, forbid_entities=True
        )
        try:
            return zeep.Client(self.wsdl, transport=self._carrier, settings=settings)  # type: ignore[no-untyped-call]
        except HubError:
            raise
        except (zeep.exceptions.Error, LxmlError, OSError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise ConfigError(f"the WSDL cannot be read: {_short(error)}", self.wsdl) from error

    @cached_property
    def _port(self) -> Any:
        from zeep.wsdl.bindings.soap import SoapBinding

        ports = [port for service in self._client.wsdl.services.values() for port in service.ports.values()]
        for port in ports:
            if isinstance(port.binding, SoapBinding):
                return port
        raise ConfigError("the WSDL describes no SOAP service", self.wsdl)

    @cached_property
    def _service(self) -> Any:
        path = urlsplit(self._port.binding_options["address"]).path
        return self._client.create_service(str(self._port.binding.name), self.http.connection.url + path)


class _Carrier:
    """What zeep takes for its transport: documents from the right places, envelopes over :class:`Http`."""

    def __init__(self, http: Http, wsdl: str) -> None:
        self.http = http
        self.wsdl = wsdl
        self.effect = Effect.NONE
        self.cost = 1.0
        self.answer: Answer

    def load(self, url: str) -> bytes:
        """A document of the description, from the connection's host, the WSDL's own folder, or our copy."""
        if url == ENCODING or url.rstrip("/") == ENCODING.rstrip("/") or url.endswith("soap-encoding.xsd"):
            return _OURS.read_bytes()
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            return self._fetched(url)
        return self._local(Path(unquote(parts.path)))

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> Any:
        from zeep.wsdl.utils import etree_to_string

        return self.post(address, etree_to_string(envelope), headers)  # type: ignore[no-untyped-call]

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Any:
        """One try: faults travel with HTTP 500 (SOAP 1.1) or 400 (SOAP 1.2) and go on to zeep."""
        call = Call(
            method="POST",
            path=urlsplit(address).path,
            body=message,
            headers=headers,
            effect=self.effect,
            cost=self.cost,
            accept=frozenset({400, 413, 500}),
        )
        self.answer = self.http.once(call)
        self._no_endless_tag(self.answer, self.effect)
        if self.answer.status == 413:
            raise TooLarge(f"{self.http.connection.id}: the request is larger than the service takes")
        if self.answer.status >= 400 and b"Fault" not in self.answer.body:
            raise error_of_answer(self.http.connection.id, call, self.answer, datetime.now(UTC))
        return _response(self.answer)

    def _fetched(self, url: str) -> bytes:
        base = self.http.connection.url
        if not url.startswith(base + "/"):
            raise ConfigError(f"the WSDL wants {url} from the network, which is never fetched", self.wsdl)
        answer = self.http.send(Call(path=url.removeprefix(base), accept=frozenset({404, 410})))
        if answer.status >= 400:
            raise ConfigError(f"there is nothing at {url} (HTTP {answer.status})", self.wsdl)
        self._no_endless_tag(answer, Effect.NONE)
        return answer.body

    def _no_endless_tag(self, answer: Answer, effect: Effect) -> None:
        """libxml2 compares every attribute with all before it: 50,000 of them take it ten seconds."""
        if any(tag.end() - tag.start() > LONGEST_TAG for tag in _TAG.finditer(answer.body)):
            sentence = f"{self.http.connection.id} answered with a tag of more than {LONGEST_TAG} bytes"
            raise StopRun(sentence) if effect is Effect.NONE else unanswered(sentence, effect)

    def _local(self, path: Path) -> bytes:
        folder = Path(unquote(urlsplit(self.wsdl).path)).resolve().parent
        if not self.wsdl.startswith("file:") or not path.resolve().is_relative_to(folder):
            raise ConfigError(f"the WSDL wants {path}, which lies outside its own place", self.wsdl)
        return path.read_bytes()


def _response(answer: Answer) -> Any:
    import requests

    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response._content = answer.body
    response.encoding = "utf-8"
    return response


def _codes(fault: Any) -> list[str]:
    """The fault's codes, the vendor's own first: subcodes, ``detail``'s ``code``, then ``faultcode``."""
    codes = [str(code.localname) for code in reversed(getattr(fault, "subcodes", None) or [])]
    if fault.detail is not None and not isinstance(fault.detail, str):
        codes += [child.text.strip() for child in fault.detail.iter("{*}code") if child.text]
    return [*codes, str(fault.code or "Server").rsplit(":", 1)[-1]]


def _short(error: BaseException) -> str:
    return redact(" ".join(str(error).split())[:200] or type(error).__name__)
