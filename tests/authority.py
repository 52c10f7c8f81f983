"""Certificates for servers of a test, and who signs them."""
import subprocess


class Authority:
    """A certificate authority of the test's own, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=the authority",
                 "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
        self.ca = folder / "ca.pem"

    @staticmethod
    def run(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def issue(self, name):
        """(certificate, key) with that common name, for localhost and 127.0.0.1."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extra = self.folder / "extra.cnf"
        extra.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        self.run("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-days", "2", "-extfile", extra,
                 "-out", certificate)
        return certificate, key
