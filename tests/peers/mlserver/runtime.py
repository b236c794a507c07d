"""MLServer's custom runtime: a BYTES tensor with one JPEG in, FP32 logits out."""

from classifier import Classifier
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput, TensorData


class AdSafety(MLModel):
    async def load(self) -> bool:
        self._classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (jpeg,) = payload.inputs[0].data
        logits = self._classifier.logits(jpeg).tolist()
        output = ResponseOutput(name="logits", shape=[1, len(logits)], datatype="FP32", data=TensorData(logits))
        return InferenceResponse(model_name=self.name, outputs=[output])
