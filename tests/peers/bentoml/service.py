"""BentoML: the JPEG is the body of a POST to /classify, the logits come as JSON.

The route is mounted with `@bentoml.asgi_app`. As a `@bentoml.api` whose input is a file or a picture the same takes a third longer: BentoML writes
every file that comes to the disk, or opens it with Pillow, before the service sees it.
"""

import bentoml
from classifier import Classifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def classify(request: Request) -> JSONResponse:
    classifier = bentoml.get_current_service().classifier
    return JSONResponse(classifier.logits(await request.body()).tolist())


@bentoml.asgi_app(Starlette(routes=[Route("/classify", classify, methods=["POST"])]))
@bentoml.service(workers=1, threads=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class AdSafety:
    def __init__(self) -> None:
        self.classifier = Classifier()
