"""sd-jwt, the reference implementation: it issues, presents and verifies. Keys are did:jwk."""

import base64
import json

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

KINDS = {"EdDSA": {"kty": "OKP", "crv": "Ed25519"}, "ES256": {"kty": "EC", "crv": "P-256"}}


def new_key(algorithm):
    """A key and its did:jwk."""
    key = JWK.generate(**KINDS[algorithm])
    public = json.dumps(key.export_public(as_dict=True), separators=(",", ":"))
    return key, "did:jwk:" + base64.urlsafe_b64encode(public.encode()).decode().rstrip("=")


def issue(claims, key, did, holder, algorithm):
    """An SD-JWT VC; a name or an element in `SDObj` can be withheld."""
    header = {"typ": "dc+sd-jwt", "kid": f"{did}#0"}
    issuer = SDJWTIssuer({"iss": did, **claims}, key, holder, sign_alg=algorithm, extra_header_parameters=header)
    return issuer.sd_jwt_issuance


def present(credential, selection, key, challenge, domain, algorithm):
    """The credential with what is selected, bound by its holder."""
    holder = SDJWTHolder(credential)
    holder.create_presentation(selection, challenge, domain, key, sign_alg=algorithm)
    return holder.sd_jwt_presentation


class Verifier(SDJWTVerifier):
    """The library takes every key binding for ES256: here the holder's key decides."""

    def _verify_key_binding_jwt(self, expected_aud=None, expected_nonce=None, sign_alg=None):
        kind = self._holder_public_key_payload["jwk"]["kty"]
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, "EdDSA" if kind == "OKP" else "ES256")


def verify(token, issuer_jwk, challenge=None, domain=None, verifier=Verifier):
    """The claims that are disclosed; raises when the token or its key binding does not verify."""
    key = JWK.from_json(json.dumps(issuer_jwk))
    return verifier(token, lambda iss, header: key, domain, challenge).get_verified_payload()


__all__ = ["SDJWTVerifier", "SDObj", "Verifier", "issue", "new_key", "present", "verify"]
