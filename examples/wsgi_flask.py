"""Call a WSGI application, here Flask's, for one host; requests to others are sent as ever.

WSGI is for sync clients; asgi_starlette.py beside this shows ASGI for async ones.
"""

import flask
import httpx

from transportkit import Mounts

# To copy (sync)
app = flask.Flask(__name__)


@app.route("/")
def hello() -> str:
    return f"Hello {flask.request.remote_addr}, this is {flask.request.script_root}"


transport = httpx.WSGITransport(
    app,
    script_name="/v1",  # where the application is mounted
    remote_addr="1.2.3.4",  # who asks
    raise_app_exceptions=False,  # answer 500 to what the application tells the server of
)
client = httpx.Client(transport=Mounts({"http://testserver": transport}))

# To run
if __name__ == "__main__":
    with client:
        print(client.get("http://testserver/").text)
        print(client.get("http://testserver/missing"))

# It prints
#
#     Hello 1.2.3.4, this is /v1
#     <Response [404 Not Found]>
