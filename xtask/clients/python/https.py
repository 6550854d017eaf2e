"""The SDK over https: a server of its own with a certificate, verified by the client."""

import os
import signal
import subprocess
import tempfile

import trustme
import kit
from kit import case
from ibm_cloud_sdk_core.authenticators import BasicAuthenticator
from ibm_watson import AssistantV1, AssistantV2

KEY = "HTTPSHTTPSHTTPS1." + "s" * 40


@case
def the_sdk_works_over_https_with_a_verified_certificate():
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        authority.cert_pem.write_to_path(path("ca.pem"))
        certificate.private_key_pem.write_to_path(path("key.pem"))
        with open(path("cert.pem"), "wb") as file:
            for blob in certificate.cert_chain_pems:
                file.write(blob.bytes())
        with open(path("convlog.toml"), "w", encoding="utf-8") as file:
            file.write(f'[tls]\ncert = "{path("cert.pem")}"\nkey = "{path("key.pem")}"\n')
        server = subprocess.Popen(
            [os.environ["CONVLOG_BIN"], "serve", "--config", path("convlog.toml"),
             "--data-dir", path("data"), "--listen", "127.0.0.1:0"],
            env={"PATH": os.environ["PATH"], "CONVLOG_ADMIN_KEY": KEY},
            stdout=subprocess.PIPE, text=True)
        try:
            line = server.stdout.readline().strip()
            assert line.startswith("listening on https://127.0.0.1:"), line
            os.environ["REQUESTS_CA_BUNDLE"] = path("ca.pem")
            url = line.removeprefix("listening on ")
            authenticator = BasicAuthenticator("apikey", KEY)
            first = AssistantV1(version="2021-11-27", authenticator=authenticator)
            first.set_service_url(url)
            none = first.list_all_logs("language::en,workspace_id::none").get_result()
            assert none == {"logs": [], "pagination": {}}, none
            second = AssistantV2(version="2024-08-25", authenticator=authenticator)
            second.set_service_url(url)
            assert second.delete_user_data("nobody").get_status_code() == 202
        finally:
            os.environ.pop("REQUESTS_CA_BUNDLE", None)
            server.send_signal(signal.SIGTERM)
            assert server.wait() == 0


if __name__ == "__main__":
    kit.run()
