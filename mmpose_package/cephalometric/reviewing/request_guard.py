"""Who may ask: a browser on this machine that knows the token, from the page itself and from no other one.

A server on the loopback address can be reached by every page that the browser shows, and, through a name that leads to
127.0.0.1, even as if it were that page's own (DNS rebinding). So the names of the Host header, the Origin header and
what browsers say of where a request comes from (Fetch Metadata) are looked at before anything is done.
"""

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

HOSTS = ('127.0.0.1', 'localhost')
POLICY = '; '.join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ('Content-Security-Policy', POLICY),
    ('X-Content-Type-Options', 'nosniff'),
    ('Referrer-Policy', 'no-referrer'),
    ('Cross-Origin-Opener-Policy', 'same-origin'),
    ('Cross-Origin-Resource-Policy', 'same-origin'),
    ('Cache-Control', 'no-store'),
)
"""Of every answer."""


class RequestGuard:
    """Knows the token, which is another one each time.

    Attributes:
        token: For the address that the program prints.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)

    def cookie(self, port: int) -> str:
        """What the browser keeps of the token; cookies belong to a machine and not to a port, so the name has it."""
        return f'{_name(port)}={self.token}; HttpOnly; SameSite=Strict; Path=/'

    def brings_token(self, environ: dict) -> bool:
        """Whether the address has the token, as the one that the program prints."""
        query = environ.get('QUERY_STRING', '')
        tokens = parse_qs(query, max_num_fields=10).get('token', ['']) if len(query) < 1000 else ['']
        return self._is_token(tokens[0])

    def refusal(self, environ: dict, port: int) -> str:
        """Why a request is not answered; empty for one that is."""
        hosts = {f'{host}:{port}' for host in HOSTS}
        if environ.get('HTTP_HOST', '') not in hosts:
            return 'the name in the address is not that of this machine'
        origin = environ.get('HTTP_ORIGIN')
        if origin is not None and origin not in {f'http://{host}' for host in hosts}:
            return 'the request comes from another page'
        if environ.get('HTTP_SEC_FETCH_SITE', 'none') not in ('none', 'same-origin'):
            return 'the request comes from another page'
        if environ['REQUEST_METHOD'] == 'POST' and origin is None:
            return 'the request does not say from which page it comes'
        if self.brings_token(environ):
            return '' if (environ['REQUEST_METHOD'], environ['PATH_INFO']) == ('GET', '/') else 'the token is for /'
        if not self._is_token(_cookie_value(environ.get('HTTP_COOKIE', ''), _name(port))):
            return 'open the address that "cephalometric review" has printed; it is another one each time'
        return ''

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode('utf-8', 'replace'), self.token.encode())


def _name(port: int) -> str:
    return f'cephalometric_review_{port}'


def _cookie_value(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ''
    return '' if found is None else found.value
