"""The members of the U-Net family that the papers use."""

from dataclasses import replace

from mrviewer_models.blocks.unet import Head, UNetShape

__all__ = ["att_unet_in", "unet_bn", "unet_bn_t", "unet_in"]


def unet_bn(inputs: int, outputs: int, base: int = 64, levels: int = 5) -> UNetShape:
    """Average pooling, nearest neighbours up, convolution - activation - batch normalisation.

    The reconstructing network of SemuNet, which adds its input to the output outside.
    """
    return UNetShape(inputs, outputs, base, levels, down="average", up="nearest", head="values")


def unet_bn_t(inputs: int, outputs: int, base: int = 64, levels: int = 5) -> UNetShape:
    """The textbook network: maximum pooling, transposed convolutions, batch normalisation.

    Segments in SemuNet, in ITFS + DRLC and in SynNet.
    """
    return UNetShape(inputs, outputs, base, levels)


def unet_in(
    inputs: int, outputs: int, base: int, pools: int, *, dropout: float = 0.0, head: Head = "values"
) -> UNetShape:
    """Instance normalisation without parameters, average pooling, normalised transposed convolutions, no bias.

    Of RecSeg, SegNetMRI, SERANet and IDSLR.
    """
    return UNetShape(
        inputs,
        outputs,
        base,
        pools + 1,
        norm="instance_plain",
        negative_slope=0.2,
        order="conv_norm_act",
        bias=False,
        down="average",
        up="transposed_norm_act",
        dropout=dropout,
        head=head,
    )


def att_unet_in(
    inputs: int, outputs: int, base: int = 64, pools: int = 2, *, dropout: float = 0.0, head: Head = "values"
) -> UNetShape:
    """`unet_in` with attention gates on the skips; segments in MTLRS."""
    return replace(unet_in(inputs, outputs, base, pools, dropout=dropout, head=head), attention=True)
