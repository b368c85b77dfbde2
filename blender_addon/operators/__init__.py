"""What the artist can do: one file a verb."""

from .apply import (
    UNDERPAINT_OT_apply_result,
    UNDERPAINT_OT_set_background,
    UNDERPAINT_OT_show_large,
)
from .cancel import CLASSES as CANCEL_CLASSES
from .daemon import UNDERPAINT_OT_dismiss_error, UNDERPAINT_OT_start_daemon
from .generate import UNDERPAINT_OT_generate
from .install import CLASSES as INSTALL_CLASSES
from .layers import (
    UNDERPAINT_OT_apply_flat,
    UNDERPAINT_OT_layer_decide,
    UNDERPAINT_OT_layer_move,
    UNDERPAINT_OT_layer_remove,
    UNDERPAINT_OT_layer_weak,
    UNDERPAINT_OT_layers_flatten,
    UNDERPAINT_OT_layers_restore,
)
from .left import UNDERPAINT_OT_drop_left, UNDERPAINT_OT_fetch_left
from .lists import CLASSES as LIST_CLASSES
from .live import CLASSES as LIVE_CLASSES
from .marking import CLASSES as MARKING_CLASSES
from .masks import (
    UNDERPAINT_OT_mask_by_form,
    UNDERPAINT_OT_mask_clear,
    UNDERPAINT_OT_mask_done,
    UNDERPAINT_OT_mask_paint,
)
from .models import CLASSES as MODEL_CLASSES
from .recall import UNDERPAINT_OT_use_settings
from .texture import (
    UNDERPAINT_OT_repaint,
    UNDERPAINT_OT_reroll,
    UNDERPAINT_OT_restyle,
    UNDERPAINT_OT_texture,
)
from .unwrap import UNDERPAINT_OT_unwrap
from .words import CLASSES as WORD_CLASSES

CLASSES = (
    UNDERPAINT_OT_generate,
    UNDERPAINT_OT_texture,
    UNDERPAINT_OT_repaint,
    UNDERPAINT_OT_restyle,
    UNDERPAINT_OT_reroll,
    *MARKING_CLASSES,
    *CANCEL_CLASSES,
    *LIST_CLASSES,
    *LIVE_CLASSES,
    *MODEL_CLASSES,
    *WORD_CLASSES,
    UNDERPAINT_OT_apply_result,
    UNDERPAINT_OT_show_large,
    UNDERPAINT_OT_set_background,
    UNDERPAINT_OT_use_settings,
    UNDERPAINT_OT_layer_move,
    UNDERPAINT_OT_layer_remove,
    UNDERPAINT_OT_layer_decide,
    UNDERPAINT_OT_layer_weak,
    UNDERPAINT_OT_layers_flatten,
    UNDERPAINT_OT_apply_flat,
    UNDERPAINT_OT_layers_restore,
    UNDERPAINT_OT_mask_paint,
    UNDERPAINT_OT_mask_by_form,
    UNDERPAINT_OT_mask_clear,
    UNDERPAINT_OT_mask_done,
    UNDERPAINT_OT_unwrap,
    UNDERPAINT_OT_fetch_left,
    UNDERPAINT_OT_drop_left,
    *INSTALL_CLASSES,
    UNDERPAINT_OT_start_daemon,
    UNDERPAINT_OT_dismiss_error,
)
