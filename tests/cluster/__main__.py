"""`python -m tests.cluster up`, `down`, `status` or `images`: the tests' cluster for a person.

What `make cluster` and `make cluster-down` call. `up` leaves a cluster alone that stands already,
and a cluster that was started here stays until `down`, whatever the tests do with it.
"""

import argparse
import sys

from tests.cluster import images, processes, provider, sharing


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("verb", choices=("up", "down", "status", "images"))
    verb = parser.parse_args().verb
    try:
        if verb == "up":
            with sharing.lock():
                show(provider.up(told=tell))
                sharing.keep()
        elif verb == "down":
            with sharing.lock():
                provider.down()
        elif verb == "images":
            tell(str(images.layout_of(images.images())))
        else:
            name = provider.chosen()
            if not provider.stands(name):
                sys.exit("cluster: none stands; `make cluster` starts one")
            show(provider.standing(name))
    except (provider.NoCluster, processes.CannotStart, images.CannotBuild) as error:
        sys.exit(f"cluster: {error}")


def tell(line):
    """Say how far the start is, at once and beside what a program may read."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def show(cluster):
    """Print what a client needs, as lines for a shell."""
    lines = {"KUBECONFIG": cluster.kubeconfig, "GITWF_TEST_NODE": cluster.node}
    if cluster.endpoint:
        lines["AWS_ENDPOINT_URL"] = cluster.endpoint
    lines |= dict(
        zip(provider.IMAGES, (cluster.steps, cluster.viewer, cluster.controller), strict=True)
    )
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in lines.items()))


if __name__ == "__main__":
    main()
