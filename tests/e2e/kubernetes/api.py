"""The few calls to the API server that the simulated parts of a cluster make."""

import base64
import http.client
import json
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class ApiError(Exception):
    """An answer with a status of 300 or higher."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:400]}")
        self.status = status


class Api:
    """A client with one open connection for each thread."""

    def __init__(self, kubeconfig):
        view = subprocess.run(
            ["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "--minify", "--flatten", "-o", "json"],
            check=True, capture_output=True, text=True).stdout
        config = json.loads(view)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        self.host, self.port = url.hostname, url.port or 443
        self.headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = "Bearer " + user["token"]
        self.tls = ssl.create_default_context()
        if "certificate-authority-data" in cluster:
            self.tls.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        if cluster.get("insecure-skip-tls-verify"):
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pem:
                for part in "client-certificate-data", "client-key-data":
                    pem.write(base64.b64decode(user[part]) + b"\n")
                pem.flush()
                self.tls.load_cert_chain(pem.name)
        self.local = threading.local()

    def _connect(self, timeout):
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)

    def call(self, method, path, body=None, kind=None):
        """Returns the answer as a tree; raises `ApiError` if it is not a success."""
        headers = dict(self.headers, **({"Content-Type": kind} if kind else {}))
        text = None if body is None else json.dumps(body)
        for last in False, True:
            kept = getattr(self.local, "conn", None)
            conn = self.local.conn = kept or self._connect(20)
            try:
                conn.request(method, path, text, headers)
                reply = conn.getresponse()
                answer = reply.read().decode()
                break
            except (OSError, http.client.HTTPException):
                conn.close()
                self.local.conn = None
                # The server may have closed an idle connection; try once more with a new one.
                if last or kept is None:
                    raise
        if reply.status >= 300:
            raise ApiError(reply.status, answer)
        return json.loads(answer)

    def get(self, path):
        """Returns the object, or None if it does not exist."""
        try:
            return self.call("GET", path)
        except ApiError as e:
            if e.status == 404:
                return None
            raise

    def items(self, path):
        return self.call("GET", path)["items"]

    def watch(self, path, version):
        """Watch events from a resource version, until the server ends the stream."""
        conn = self._connect(90)
        try:
            conn.request("GET", f"{path}?watch=1&timeoutSeconds=60&resourceVersion={version}", None, self.headers)
            reply = conn.getresponse()
            if reply.status >= 300:
                raise ApiError(reply.status, reply.read().decode())
            for line in reply:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), json.dumps(event["object"]))
                yield event
        finally:
            conn.close()
