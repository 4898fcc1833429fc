"""A backbone, a head and a loss of one's own: importing this package registers them, and a recipe names them."""

from projects.example.backbone import ExampleBackbone
from projects.example.head import ExampleHead
from projects.example.loss import ExampleLoss

__all__ = ['ExampleBackbone', 'ExampleHead', 'ExampleLoss']
