"""The names that users choose by, apart from the code they name, so that a command line can list them at once."""

from typing import Literal

PredictionType = Literal["epsilon", "sample", "v", "flow"]
Spacing = Literal["trailing", "leading", "log_snr"]
SolverName = Literal["ddim", "heun", "dpmpp_2m", "ping_pong"]
SharingName = Literal["p2p", "masactrl"]
LabelConvention = Literal["leaves", "arrives"]
Decline = Literal["linear", "cosine", "constant"]
OptimizerName = Literal["muon", "adamw"]
Precision = Literal["fp32", "bf16", "fp16"]
Objective = Literal["v", "epsilon", "flow"]
NewSize = Literal["tiny", "small", "medium"]
Switch = Literal["on", "off"]
