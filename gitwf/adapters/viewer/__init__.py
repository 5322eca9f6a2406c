"""The local target: a viewer on this machine that people never see go down.

One detached process for each environment, the *front*, owns the port and the viewer processes. A
release starts a second viewer beside the first; when its page carries the model's name, requests
that begin from then on go to it, and what is still open on the old one (a response, a WebSocket)
ends there within the drain time. Nothing here is remembered on disk: what is served is what the
front answers at `/-/gitwf`, so a deleted folder costs nothing and a killed front is started anew.

    target.py    the port `Target`, for a reconciler          ->  control.py   finds, asks a front
    front.py     the process: socket, control API, signals    ->  rollouts.py  which viewer serves
    proxy.py     one client's requests  ->  wire.py  HTTP/1.1      running.py   one viewer process
    launch.py    how a viewer is started  ->  leash.py, page.py  (each a program of its own)
"""
