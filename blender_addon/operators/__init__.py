"""What the artist can do: one file a verb."""

from .apply import UNDERPAINT_OT_apply_result, UNDERPAINT_OT_set_background
from .cancel import UNDERPAINT_OT_cancel
from .daemon import UNDERPAINT_OT_dismiss_error, UNDERPAINT_OT_start_daemon
from .generate import UNDERPAINT_OT_generate
from .recall import UNDERPAINT_OT_use_settings

CLASSES = (
    UNDERPAINT_OT_generate,
    UNDERPAINT_OT_cancel,
    UNDERPAINT_OT_apply_result,
    UNDERPAINT_OT_set_background,
    UNDERPAINT_OT_use_settings,
    UNDERPAINT_OT_start_daemon,
    UNDERPAINT_OT_dismiss_error,
)
